//! The portal's REST: credentials, limits, errors.

use emulator::{Fault, Kind, System};
use serde_json::{Value, json};

use crate::stage::{Stage, order};

#[tokio::test]
async fn a_good_answer_has_a_result_and_a_time() {
    let stage = Stage::new().await;
    stage.put(236, &order(236), "").await;
    let (status, body) = stage.rest("sale.order.get", json!({"id": "236"})).await;
    assert_eq!(status, 200);
    assert_eq!(body["result"]["order"]["accountNumber"], "392");
    for name in ["start", "finish", "duration", "processing", "operating"] {
        assert!(body["time"][name].is_number(), "{name}");
    }
    assert!(body["time"]["date_start"].as_str().unwrap().ends_with("+03:00"));
    let (with_suffix, _) = stage.rest("sale.order.get.json", json!({"id": 236})).await;
    assert_eq!(with_suffix, 200);
}

#[tokio::test]
async fn credentials_are_checked() {
    let stage = Stage::new().await;
    let post = async |path: &str| {
        let response = stage.client.post(stage.url(path)).json(&json!({})).send().await.unwrap();
        let status = response.status().as_u16();
        (status, response.json::<Value>().await.unwrap()["error"].clone())
    };
    let wrong = (403, json!("INVALID_CREDENTIALS"));
    assert_eq!(post("/bitrix/rest/1/wrong/sale.order.get").await, wrong);
    assert_eq!(post("/bitrix/rest/2/emulatorrestcode/sale.order.get").await, wrong);
    assert_eq!(post("/bitrix/rest/sale.order.get").await, (401, json!("NO_AUTH_FOUND")));
    let summary = stage.running.emulator.bitrix.portal().summary();
    assert_eq!((summary.hits, summary.violations.violation_count), (0, 3));
    let shown = format!("{:?}", summary.violations);
    assert!(!shown.contains("wrong/"), "codes stay out of the books");
}

#[tokio::test]
async fn the_bucket_takes_fifty_and_then_two_a_second() {
    let stage = Stage::new().await;
    stage.put(236, &order(236), "").await;
    let mut refused = None;
    for _ in 0..80 {
        let (status, body) = stage.rest("sale.order.get", json!({"id": 236})).await;
        if status == 503 {
            refused = Some(body);
            break;
        }
    }
    assert_eq!(refused.expect("the bucket runs over")["error"], "QUERY_LIMIT_EXCEEDED");
    stage.control("/_clock", json!({"advance_s": 1})).await;
    assert_eq!(stage.rest("sale.order.get", json!({"id": 236})).await.0, 200);
    let summary = stage.running.emulator.bitrix.portal().summary();
    assert!(summary.hits > 50 && summary.over_limit == 1, "{summary:?}");
    assert_eq!(summary.violations.violation_count, 0);
}

#[tokio::test]
async fn no_limit_when_the_rate_is_0() {
    let stage = Stage::with(|settings| settings.bitrix.rate = 0).await;
    stage.put(236, &order(236), "").await;
    for _ in 0..80 {
        assert_eq!(stage.rest("sale.order.get", json!({"id": 236})).await.0, 200);
    }
}

#[tokio::test]
async fn a_blocked_method_is_429_until_its_time() {
    let stage = Stage::new().await;
    stage.put(236, &order(236), "").await;
    let fault = Fault::new(System::Bitrix, Kind::Limit).on("sale.order.get").times(1);
    let limit = Some("OPERATION_TIME_LIMIT".to_owned());
    stage.fault(Fault { limit, reset_in_s: Some(30), ..fault });
    let (status, body) = stage.rest("sale.order.get", json!({"id": 236})).await;
    assert_eq!((status.as_u16(), &body["error"]), (429, &json!("OPERATION_TIME_LIMIT")));
    let reset = body["time"]["operating_reset_at"].as_i64().unwrap();
    let wait = reset - time::OffsetDateTime::now_utc().unix_timestamp();
    assert!((28..=30).contains(&wait), "{wait}");
    let (status, again) = stage.rest("sale.order.get", json!({"id": 236})).await;
    assert_eq!((status.as_u16(), &again["time"]["operating_reset_at"]), (429, &json!(reset)));
    assert_eq!(stage.rest("sale.property.list", json!({})).await.0, 200, "only that method");
    stage.control("/_clock", json!({"advance_s": 30})).await;
    assert_eq!(stage.rest("sale.order.get", json!({"id": 236})).await.0, 200);
    assert_eq!(stage.running.emulator.bitrix.portal().summary().while_blocked, 1);
}

#[tokio::test]
async fn the_query_limit_on_command() {
    let stage = Stage::new().await;
    let fault = Fault::new(System::Bitrix, Kind::Limit).times(1);
    stage.fault(Fault { limit: Some("QUERY_LIMIT_EXCEEDED".to_owned()), ..fault });
    let (status, body) = stage.rest("sale.property.list", json!({})).await;
    assert_eq!((status.as_u16(), &body["error"]), (503, &json!("QUERY_LIMIT_EXCEEDED")));
}

#[tokio::test]
async fn errors_have_numbers_or_names() {
    let stage = Stage::new().await;
    stage.put(236, &order(236), "").await;
    let cases = [
        ("sale.order.get", json!({"id": 1}), 400, json!(200_540_400_001_u64)),
        ("sale.order.get", json!({}), 400, json!(100)),
        ("sale.order.get", json!({"id": "x"}), 400, json!(0)),
        ("sale.order.get", json!({"id": 236, "select": []}), 400, json!(0)),
        ("sale.payment.get", json!({"id": 1}), 400, json!(200_640_400_001_u64)),
        ("sale.shipment.get", json!({"id": 1}), 400, json!(201_140_400_001_u64)),
        ("sale.order.update", json!({"id": 236}), 400, json!(100)),
        (
            "sale.order.update",
            json!({"id": 1, "fields": {"statusId": "F"}}),
            400,
            json!(200_540_400_001_u64),
        ),
        ("sale.order.update", json!({"id": 236, "fields": {"statusId": "shipped"}}), 400, json!(0)),
        ("sale.order.update", json!({"id": 236, "fields": {"payed": "Y"}}), 400, json!(0)),
        ("sale.order.delete", json!({"id": 236}), 404, json!("ERROR_METHOD_NOT_FOUND")),
        ("im.notify.system.add", json!({"MESSAGE": "x"}), 400, json!("USER_ID_EMPTY")),
        (
            "im.notify.system.add",
            json!({"USER_ID": 1, "MESSAGE": " "}),
            400,
            json!("MESSAGE_EMPTY"),
        ),
        (
            "crm.timeline.comment.add",
            json!({"fields": {"ENTITY_ID": 9, "ENTITY_TYPE": "order", "COMMENT": "x"}}),
            400,
            json!("NOT_FOUND"),
        ),
        (
            "crm.timeline.comment.add",
            json!({"fields": {"ENTITY_ID": 236, "ENTITY_TYPE": "order", "COMMENT": ""}}),
            400,
            json!("INVALID_ARG_VALUE"),
        ),
    ];
    for (method, params, status, error) in cases {
        let (got, body) = stage.rest(method, params.clone()).await;
        assert_eq!((got.as_u16(), &body["error"]), (status, &error), "{method} {params}");
        assert!(body["error_description"].is_string());
    }
    let portal = stage.running.emulator.bitrix.portal();
    assert_eq!(portal.order(236).unwrap().version, 1, "nothing of that was a save");
    assert_eq!(
        portal.summary().violations.violation_count,
        10,
        "{:?}",
        portal.summary().violations
    );
}

#[tokio::test]
async fn a_form_is_not_json() {
    let stage = Stage::new().await;
    let url = format!("{}sale.order.get", stage.running.bitrix_rest_url());
    let response = stage.client.post(url).body("id=236").send().await.unwrap();
    assert_eq!(response.status(), 400);
    let get = stage.client.get(format!("{}sale.order.get", stage.running.bitrix_rest_url()));
    assert_eq!(get.send().await.unwrap().status(), 405);
}
