//! `batch`: one hit, many commands, an error of its own for each.

use emulator::{Fault, Kind, System};
use serde_json::{Map, Value, json};

use crate::stage::{Stage, order};

async fn stage() -> Stage {
    let stage = Stage::new().await;
    stage.put(236, &order(236), "").await;
    stage
}

#[tokio::test]
async fn commands_have_query_strings_with_brackets() {
    let stage = stage().await;
    let cmd = json!({
        "status": "sale.order.update?id=236&fields%5BstatusId%5D=F&fields[comments]=%D0%A7%D0%B5%D0%BA+1",
        "fn": "sale.propertyvalue.modify?fields[order][id]=236&fields[order][propertyValues][0][orderPropsId]=1501\
            &fields[order][propertyValues][0][value]=777",
        "list": "sale.order.list?filter[%3E%3Did]=1&select[]=id",
    });
    let (status, body) = stage.rest("batch", json!({"halt": 0, "cmd": cmd})).await;
    assert_eq!(status, 200);
    let result = &body["result"];
    assert_eq!(result["result"]["status"]["order"]["comments"], "Чек 1");
    assert_eq!(result["result"]["list"]["orders"], json!([{"id": 236}]));
    assert_eq!(result["result_error"], json!([]), "PHP writes an empty map as a list");
    assert_eq!(result["result_total"], json!({"list": 1}));
    assert_eq!(result["result_next"], json!([]));
    assert_eq!(result["result_time"].as_object().unwrap().len(), 3);
    let portal = stage.running.emulator.bitrix.portal();
    let book = portal.order(236).unwrap();
    assert_eq!((book.status.as_str(), book.properties["CLOUDKASSIR_FN"].as_str()), ("F", "777"));
    assert_eq!(portal.summary().hits, 1, "a batch is one hit");
}

#[tokio::test]
async fn an_error_stands_beside_its_key_and_halts_if_asked() {
    let stage = stage().await;
    let cmd = json!({"a": "sale.order.get?id=1", "b": "sale.order.get?id=236"});
    let (status, body) = stage.rest("batch", json!({"cmd": cmd})).await;
    assert_eq!(status, 200);
    assert_eq!(body["result"]["result_error"]["a"]["error"], 200_540_400_001_u64);
    assert_eq!(body["result"]["result"]["b"]["order"]["id"], 236);
    let (_, halted) = stage.rest("batch", json!({"halt": 1, "cmd": cmd})).await;
    assert_eq!(halted["result"]["result"], json!([]));
    assert!(halted["result"]["result_error"]["a"].is_object());
}

#[tokio::test]
async fn a_list_of_commands_gives_a_list_of_results() {
    let stage = stage().await;
    let cmd = json!(["sale.payment.get?id=2361", "sale.shipment.get?id=2362"]);
    let (_, body) = stage.rest("batch", json!({"halt": false, "cmd": cmd})).await;
    assert_eq!(body["result"]["result"][0]["payment"]["sum"], 1480);
    assert_eq!(body["result"]["result"][1]["shipment"]["priceDelivery"], 500);
}

#[tokio::test]
async fn batches_are_not_nested_nor_longer_than_fifty() {
    let stage = stage().await;
    let (status, nested) =
        stage.rest("batch", json!({"cmd": {"a": "batch?cmd[x]=sale.order.get"}})).await;
    assert_eq!(status, 200);
    let error = &nested["result"]["result_error"]["a"]["error"];
    assert_eq!(error, "ERROR_BATCH_METHOD_NOT_ALLOWED");
    let commands = |count: usize| -> Value {
        let one = |n| (format!("k{n}"), json!("sale.order.get?id=236"));
        Value::Object((0..count).map(one).collect::<Map<String, Value>>())
    };
    let (status, full) = stage.rest("batch", json!({"cmd": commands(50)})).await;
    assert_eq!((status.as_u16(), full["result"]["result"].as_object().unwrap().len()), (200, 50));
    let (status, over) = stage.rest("batch", json!({"cmd": commands(51)})).await;
    assert_eq!((status.as_u16(), &over["error"]), (400, &json!("ERROR_BATCH_LENGTH_EXCEEDED")));
}

#[tokio::test]
async fn broken_commands_are_errors_and_violations() {
    let stage = stage().await;
    let cmd = json!({
        "unknown": "user.current", "brackets": "sale.order.get?id[=1", "reference": "sale.order.get?id=$result[a][b]",
        "field": "sale.order.get?id=236&x=1",
    });
    let (_, body) = stage.rest("batch", json!({"cmd": cmd})).await;
    assert_eq!(body["result"]["result_error"].as_object().unwrap().len(), 4);
    assert_eq!(stage.rest("batch", json!({"cmd": {"a": 1}})).await.0, 400);
    assert_eq!(stage.rest("batch", json!({"halt": "maybe", "cmd": {}})).await.0, 400);
    assert_eq!(stage.rest("batch", json!({})).await.0, 400);
    assert_eq!(stage.running.emulator.bitrix.portal().summary().violations.violation_count, 7);
}

#[tokio::test]
async fn a_command_can_be_struck_by_itself() {
    let stage = stage().await;
    let limit = Fault::new(System::Bitrix, Kind::Limit).on("sale.order.update").times(1);
    stage.fault(Fault {
        limit: Some("OPERATION_TIME_LIMIT".to_owned()),
        reset_in_s: Some(60),
        ..limit
    });
    stage.fault(Fault::new(System::Bitrix, Kind::Refusal).on("sale.payment.get").code(0));
    let cmd = json!({
        "a": "sale.order.update?id=236&fields[statusId]=F", "b": "sale.order.get?id=236", "c": "sale.payment.get?id=2361",
        "d": "sale.order.update?id=236&fields[statusId]=F",
    });
    let (status, body) = stage.rest("batch", json!({"cmd": cmd})).await;
    assert_eq!(status, 200);
    let errors = &body["result"]["result_error"];
    assert_eq!(errors["a"]["error"], "OPERATION_TIME_LIMIT");
    assert!(errors["a"]["time"]["operating_reset_at"].is_i64());
    assert_eq!(
        (&errors["c"]["error"], &errors["d"]["error"]),
        (&json!(0), &json!("OPERATION_TIME_LIMIT"))
    );
    assert_eq!(body["result"]["result"]["b"]["order"]["statusId"], "N");
}
