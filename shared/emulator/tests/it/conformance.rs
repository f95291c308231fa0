//! The answers against the samples of the vendors' documentation, where these lie beside the workspace.

use std::{collections::BTreeSet, fs, path::Path};

use serde_json::{Value, json};

use crate::stage::{Stage, json_of, order};

/// A sample, or a loud word that it is not there.
pub(crate) fn sample(path: &str) -> Option<Value> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let found =
        root.ancestors().map(|up| up.join("shared/vendors").join(path)).find(|path| path.exists());
    if found.is_none() {
        println!("MISSING: ../shared/vendors/{path} - this conformance test checks nothing");
    }
    found.map(|path| serde_json::from_str(&fs::read_to_string(path).unwrap()).unwrap())
}

fn names(value: &Value) -> BTreeSet<&str> {
    value.as_object().expect("an object").keys().map(String::as_str).collect()
}

#[tokio::test]
async fn an_order_of_the_documentation_comes_back_as_it_was() {
    let Some(sample) = sample("bitrix/rest/sale-order-get.1.response.json") else { return };
    let stage = Stage::new().await;
    stage.put(236, &sample["result"]["order"], "").await;
    let (_, got) = stage.rest("sale.order.get", json!({"id": 236})).await;
    let mut expected = sample["result"]["order"].clone();
    // The same moment, in Moscow.
    expected["dateUpdate"] = json!("2024-02-28T18:37:11+03:00");
    assert_eq!(got["result"]["order"], expected);
    assert!(names(&got["time"]).is_superset(&names(&sample["time"])));
}

#[tokio::test]
async fn a_property_has_the_documented_fields() {
    let Some(sample) = sample("bitrix/rest/sale-property-list.1.response.json") else { return };
    let stage = Stage::new().await;
    let (_, got) = stage.rest("sale.property.list", json!({"filter": {"code": "EMAIL"}})).await;
    let first = |body: &Value| body["result"]["properties"][0].clone();
    assert_eq!(names(&first(&got)), names(&first(&sample)));
}

#[tokio::test]
async fn an_updated_order_has_the_documented_shape() {
    let Some(sample) = sample("bitrix/rest/sale-order-get.1.response.json") else { return };
    let Some(updated) = self::sample("bitrix/rest/sale-order-update.1.response.json") else {
        return;
    };
    let stage = Stage::new().await;
    stage.put(236, &sample["result"]["order"], "").await;
    let write = json!({"id": 236, "fields": {"statusId": "P"}});
    let (_, got) = stage.rest("sale.order.update", write).await;
    assert_eq!(names(&got["result"]["order"]), names(&updated["result"]["order"]));
}

#[tokio::test]
async fn missing_things_have_the_documented_errors() {
    let stage = Stage::new().await;
    for (method, file) in [
        ("sale.order.get", "sale-order-get.2.error.json"),
        ("sale.payment.get", "sale-payment-get.2.error.json"),
        ("sale.shipment.get", "sale-shipment-get.2.error.json"),
    ] {
        let Some(sample) = sample(&format!("bitrix/rest/{file}")) else { return };
        assert_eq!(stage.rest(method, json!({"id": 1})).await.1, sample, "{method}");
    }
}

#[tokio::test]
async fn a_batch_has_the_documented_maps() {
    let Some(sample) = sample("bitrix/rest/batch.1.response.json") else { return };
    let stage = Stage::new().await;
    stage.put(236, &order(236), "").await;
    let (_, got) = stage.rest("batch", json!({"cmd": {"a": "sale.order.get?id=1"}})).await;
    assert_eq!(names(&got["result"]), names(&sample["result"]));
    for empty in ["result", "result_total", "result_next", "result_time"] {
        assert_eq!(got["result"][empty], sample["result"][empty], "{empty}");
    }
}

#[tokio::test]
async fn the_projects_sample_of_a_receipt_is_taken() {
    let Some(request) = sample("fiscal/cloudkassir/kkt_receipt.request.json") else { return };
    let Some(queued) = sample("fiscal/cloudkassir/kkt_receipt.response_queued.json") else {
        return;
    };
    let Some(refused) = sample("fiscal/cloudkassir/kkt_receipt.response_error.json") else {
        return;
    };
    let stage = Stage::new().await;
    let answer = json_of(stage.ask("r1", &request)).await;
    assert_eq!(names(&answer), names(&queued));
    assert_eq!(names(&answer["Model"]), names(&queued["Model"]));
    let mut short = request;
    short["CustomerReceipt"]["amounts"]["electronic"] = json!(399);
    let answer = json_of(stage.ask("r2", &short)).await;
    assert_eq!((names(&answer), &answer["Model"]), (names(&refused), &refused["Model"]));
}
