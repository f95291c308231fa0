//! `sale.order.list`: pages, filters, order.

use serde_json::{Value, json};

use crate::stage::{Stage, order};

async fn stage_with(orders: u64) -> Stage {
    let stage = Stage::with(|settings| settings.bitrix.rate = 0).await;
    for id in 1..=orders {
        let mut one = order(id);
        // Later ids changed earlier, two at a time.
        one["dateUpdate"] = json!(format!("2026-11-21T14:{:02}:08+03:00", 59 - id / 2 % 60));
        stage.put(id, &one, "").await;
    }
    stage
}

fn ids(body: &Value) -> Vec<u64> {
    body["result"]["orders"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| one["id"].as_u64().unwrap())
        .collect()
}

#[tokio::test]
async fn fifty_a_page() {
    let stage = stage_with(101).await;
    let (_, first) = stage.rest("sale.order.list", json!({"order": {"id": "asc"}})).await;
    assert_eq!((&first["total"], &first["next"]), (&json!(101), &json!(50)));
    assert_eq!(ids(&first), (1..=50).collect::<Vec<u64>>());
    let (_, last) =
        stage.rest("sale.order.list", json!({"order": {"id": "asc"}, "start": 100})).await;
    assert_eq!((ids(&last), last.get("next")), (vec![101], None));
    let (_, uncounted) =
        stage.rest("sale.order.list", json!({"start": -1, "filter": {">id": 99}})).await;
    assert_eq!((ids(&uncounted), uncounted.get("total")), (vec![100, 101], None));
}

#[tokio::test]
async fn by_date_and_then_by_id() {
    let stage = stage_with(5).await;
    let by_date =
        json!({"order": {"dateUpdate": "ASC", "id": "ASC"}, "select": ["id", "dateUpdate"]});
    let (_, body) = stage.rest("sale.order.list", by_date).await;
    assert_eq!(ids(&body), [4, 5, 2, 3, 1]);
    assert_eq!(body["result"]["orders"][0].as_object().unwrap().len(), 2);
    let (_, body) = stage.rest("sale.order.list", json!({"order": {"dateUpdate": "desc"}})).await;
    assert_eq!(ids(&body)[0], 1);
    assert!(body["result"]["orders"][0].get("payments").is_none());
}

#[tokio::test]
async fn filters_from_a_date_on() {
    let stage = stage_with(5).await;
    let list = async |filter: Value| {
        let (status, body) = stage.rest("sale.order.list", json!({"filter": filter})).await;
        assert_eq!(status, 200, "{body}");
        ids(&body)
    };
    assert_eq!(list(json!({">=dateUpdate": "2026-11-21T14:58:08+03:00"})).await, [1, 2, 3]);
    assert_eq!(
        list(json!({">=dateUpdate": "2026-11-21T11:58:08Z"})).await,
        [1, 2, 3],
        "any offset"
    );
    assert_eq!(list(json!({">dateUpdate": "2026-11-21T14:58:08+03:00"})).await, [1]);
    assert_eq!(list(json!({"<dateUpdate": "2026-11-21T14:58:08+03:00", "<id": 5})).await, [4]);
    assert_eq!(list(json!({"@statusId": ["N", "P"], "payed": "Y", "id": "3"})).await, [3]);
    assert_eq!(list(json!({"statusId": "F"})).await, Vec::<u64>::new());
    stage.rest("sale.order.update", json!({"id": 5, "fields": {"statusId": "F"}})).await;
    assert_eq!(
        list(json!({">dateUpdate": "2026-11-21T14:59:08+03:00", "=statusId": "F"})).await,
        [5]
    );
}

#[tokio::test]
async fn what_it_does_not_know_it_refuses() {
    let stage = stage_with(1).await;
    for params in [
        json!({"filter": {"dateUpdated": "2026-11-21T14:58:08+03:00"}}),
        json!({"filter": {">=dateUpdate": "yesterday"}}),
        json!({"filter": {"!id": 1}}),
        json!({"order": {"price": "asc"}}),
        json!({"order": {"id": "upwards"}}),
        json!({"select": ["basketItems"]}),
        json!({"limit": 10}),
        json!({"start": "x"}),
    ] {
        assert_eq!(stage.rest("sale.order.list", params.clone()).await.0, 400, "{params}");
    }
    assert_eq!(stage.running.emulator.bitrix.portal().summary().violations.violation_count, 8);
}
