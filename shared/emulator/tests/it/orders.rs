//! Orders read and written: versions, properties, comments, notifications.

use serde_json::json;

use crate::stage::{Stage, order};

#[tokio::test]
async fn sums_come_back_digit_for_digit() {
    let stage = Stage::new().await;
    let body = r#"{"id":"236","statusId":"N","personTypeId":"1","price":1480.10,"taxValue":246.68333333333334,
        "payments":[{"id":"123","sum":1480.10,"paid":"Y"}],"shipments":[{"id":338,"priceDelivery":500.0}]}"#;
    let put = stage.client.put(stage.url("/_bitrix/orders/236")).body(body).send().await.unwrap();
    assert_eq!(put.status(), 200);
    let call = async |method: &str, id: u64| {
        let url = format!("{}{method}", stage.running.bitrix_rest_url());
        stage.client.post(url).json(&json!({"id": id})).send().await.unwrap().text().await.unwrap()
    };
    let got = call("sale.order.get", 236).await;
    assert!(got.contains(r#""price":1480.10"#) && got.contains("246.68333333333334"), "{got}");
    assert!(got.contains(r#""id":"236""#), "ids stay texts where they were");
    assert!(call("sale.payment.get", 123).await.contains(r#""payment":{"id":"123","sum":1480.10"#));
    assert!(
        call("sale.shipment.get", 338)
            .await
            .contains(r#""shipment":{"id":338,"priceDelivery":500.0}"#)
    );
}

#[tokio::test]
async fn every_save_makes_a_version_and_a_date() {
    let stage = Stage::new().await;
    assert_eq!(stage.put(236, &order(236), "").await["version"], 1);
    assert_eq!(stage.put(236, &order(236), "").await["version"], 2);
    let before = stage.get("/_bitrix/orders/236").await["dateUpdate"].clone();
    stage.control("/_clock", json!({"advance_s": 60})).await;
    let write = json!({"id": 236, "fields": {"statusId": "F", "comments": "Чек пробит"}});
    let (status, body) = stage.rest("sale.order.update", write.clone()).await;
    assert_eq!(status, 200);
    let updated = &body["result"]["order"];
    assert_eq!((&updated["statusId"], &updated["version"]), (&json!("F"), &json!(3)));
    assert!(updated.get("basketItems").is_none(), "children are not in this answer");
    assert_ne!(updated["dateUpdate"], before);
    stage.rest("sale.order.update", write).await;
    let book = stage.running.emulator.bitrix.portal().order(236).unwrap();
    assert_eq!(
        (book.version, book.status.as_str(), book.comments.as_str()),
        (4, "F", "Чек пробит")
    );
    assert_eq!((book.writes.saves, book.writes.status, book.writes.comments), (2, 2, 2));
    assert_eq!(book.status_history, ["F", "F"]);
}

#[tokio::test]
async fn a_version_and_date_given_by_the_shop_are_kept() {
    let stage = Stage::new().await;
    let mut given = order(236);
    given["version"] = json!(41);
    given["dateUpdate"] = json!("2026-11-21T14:05:08+03:00");
    assert_eq!(stage.put(236, &given, "").await["version"], 41);
    let shown = stage.get("/_bitrix/orders/236").await;
    assert_eq!(shown["dateUpdate"], "2026-11-21T14:05:08+03:00");
}

#[tokio::test]
async fn an_order_without_its_own_sense_is_not_put() {
    let stage = Stage::new().await;
    for (field, value) in [
        ("id", json!(1)),
        ("statusId", json!(null)),
        ("personTypeId", json!(null)),
        ("dateUpdate", json!("today")),
    ] {
        let mut wrong = order(236);
        wrong[field] = value;
        let put = stage.client.put(stage.url("/_bitrix/orders/236")).json(&wrong);
        assert_eq!(put.send().await.unwrap().status(), 400, "{field}");
    }
    assert_eq!(
        stage.client.get(stage.url("/_bitrix/orders/236")).send().await.unwrap().status(),
        404
    );
}

#[tokio::test]
async fn properties_exist_for_each_person_type() {
    let stage = Stage::new().await;
    let filter =
        json!({"filter": {"@code": ["CLOUDKASSIR_FN", "CLOUDKASSIR_FD"], "personTypeId": 2}});
    let (_, body) = stage.rest("sale.property.list", filter).await;
    assert_eq!(body["total"], 2);
    let first = &body["result"]["properties"][0];
    assert_eq!(
        (&first["id"], &first["code"], &first["type"]),
        (&json!(2501), &json!("CLOUDKASSIR_FN"), &json!("STRING"))
    );
    let (_, all) = stage.rest("sale.property.list", json!({})).await;
    assert_eq!(all["total"], 27, "nine for each of three person types");
    let (status, _) = stage.rest("sale.property.list", json!({"filter": {"active": "Y"}})).await;
    assert_eq!(status, 400);
}

#[tokio::test]
async fn properties_are_written_and_the_others_stay() {
    let stage = Stage::new().await;
    stage.put(236, &order(236), "").await;
    let modify = |property: u64, value: serde_json::Value| json!({"fields": {"order": {"id": 236, "propertyValues": [{"orderPropsId": property, "value": value}]}}});
    let (status, body) =
        stage.rest("sale.propertyvalue.modify", modify(1501, json!("9999078900006211"))).await;
    assert_eq!(status, 200);
    let values = body["result"]["propertyValues"].as_array().unwrap();
    assert_eq!(values.len(), 2);
    assert_eq!(values[1]["code"], "CLOUDKASSIR_FN");
    stage.rest("sale.propertyvalue.modify", modify(1501, json!(777))).await;
    let book = stage.running.emulator.bitrix.portal().order(236).unwrap();
    assert_eq!(book.properties["CLOUDKASSIR_FN"], "777");
    assert_eq!(book.properties["EMAIL"], "ivan@example.ru");
    assert_eq!((book.version, book.writes.properties), (3, 2));
}

#[tokio::test]
async fn a_property_of_another_person_type_is_refused() {
    let stage = Stage::new().await;
    stage.put(236, &order(236), "").await;
    for values in [
        json!([{"orderPropsId": 2501, "value": "x"}]),
        json!([{"orderPropsId": 1501}]),
        json!([]),
        json!([{"orderPropsId": 1501, "value": "x", "code": "y"}]),
        json!([{"orderPropsId": 1501, "value": 1.5}]),
    ] {
        let fields = json!({"fields": {"order": {"id": 236, "propertyValues": values}}});
        assert_eq!(stage.rest("sale.propertyvalue.modify", fields).await.0, 400, "{values}");
    }
    assert_eq!(stage.running.emulator.bitrix.portal().order(236).unwrap().version, 1);
}

#[tokio::test]
async fn comments_go_into_the_timeline_of_the_order_or_its_deal() {
    let stage = Stage::new().await;
    stage.put(236, &order(236), "?deal=6933").await;
    let add = |kind: &str, id: u64, text: &str| json!({"fields": {"ENTITY_TYPE": kind, "ENTITY_ID": id, "COMMENT": text}});
    let (status, body) = stage.rest("crm.timeline.comment.add", add("order", 236, "раз")).await;
    assert!(status == 200 && body["result"].is_u64());
    stage.rest("crm.timeline.comment.add", add("deal", 6933, "два")).await;
    assert_eq!(stage.rest("crm.timeline.comment.add", add("lead", 1, "три")).await.0, 400);
    let book = stage.running.emulator.bitrix.portal().order(236).unwrap();
    assert_eq!(book.timeline, ["раз", "два"]);
    assert_eq!((book.writes.timeline, book.version), (2, 1), "a comment is no save of the order");
    let filter = json!({"filter": {"orderId": 236, "ownerTypeId": 2}});
    let (_, links) = stage.rest("crm.orderentity.list", filter).await;
    assert_eq!(
        links["result"]["orderEntity"],
        json!([{"orderId": 236, "ownerId": 6933, "ownerTypeId": 2}])
    );
    let (_, none) = stage.rest("crm.orderentity.list", json!({"filter": {"ownerTypeId": 1}})).await;
    assert_eq!(none["total"], 0);
}

#[tokio::test]
async fn a_notification_with_the_same_tag_takes_the_place_of_the_first() {
    let stage = Stage::new().await;
    stage.put(236, &order(236), "").await;
    let notify = |text: &str| json!({"USER_ID": 1, "MESSAGE": text, "TAG": "PAROM|ORDER|236", "CLIENT_ID": "parom"});
    stage.rest("im.notify.system.add", notify("ждём")).await;
    stage.rest("im.notify.system.add", notify("готово")).await;
    assert_eq!(
        stage.running.emulator.bitrix.portal().order(236).unwrap().notifications,
        ["готово"]
    );
    assert_eq!(stage.get("/_books/bitrix").await["notifications"], json!(["готово"]));
}

#[tokio::test]
async fn a_tag_without_a_client_id_has_no_effect() {
    let stage = Stage::new().await;
    for _ in 0..2 {
        let (status, _) = stage
            .rest("im.notify.system.add", json!({"USER_ID": 1, "MESSAGE": "x", "TAG": "t"}))
            .await;
        assert_eq!(status, 200);
    }
    assert_eq!(stage.get("/_books/bitrix").await["notifications"], json!(["x", "x"]));
    assert_eq!(stage.running.emulator.bitrix.portal().summary().violations.violation_count, 2);
}
