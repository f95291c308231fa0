//! Receipts: accepted, looked at, refused, asked for twice.

use emulator::cloudkassir::Status;
use serde_json::json;

use crate::stage::{Stage, json_of, receipt};

#[tokio::test]
async fn a_receipt_is_queued_and_after_a_look_processed() {
    let stage = Stage::new().await;
    let answer = json_of(stage.ask("r1", &receipt("236:1:sell:1"))).await;
    let id = answer["Model"]["Id"].as_str().unwrap();
    assert_eq!(answer["Success"], true);
    assert_eq!(answer["Message"], "Queued");
    assert_eq!(answer["Model"]["ErrorCode"], 0);
    assert_eq!(answer["Model"]["ReceiptLocalUrl"], format!("https://receipts.ru/{id}"));
    assert_eq!(stage.look(id).await, "Queued");
    assert_eq!(stage.look(id).await, "Processed");
    assert_eq!(stage.look("AAAAAAA").await, "NotFound");
    let details = json_of(stage.kassir("/kkt/receipt/get").json(&json!({"Id": id}))).await;
    let model = &details["Model"];
    assert_eq!(model["DocumentNumber"], "1");
    assert_eq!(model["FiscalNumber"], "9999078900006211");
    assert_eq!(model["Amount"], "980.00");
    assert_eq!(model["InvoiceId"], "236:1:sell:1");
    assert_eq!(model["Status"], "Processed");
    let link = model["QrCodeUrl"].as_str().unwrap();
    let sign = model["FiscalSign"].as_str().unwrap();
    assert!(link.ends_with(&format!("&s=980.00&fn=9999078900006211&i=1&fp={sign}&n=1")), "{link}");
}

#[tokio::test]
async fn how_many_looks_it_takes_is_a_setting() {
    let stage = Stage::with(|settings| settings.cloudkassir.looks = 3).await;
    let id = stage.receipt("1").await;
    for expected in ["Queued", "Queued", "Queued", "Processed"] {
        assert_eq!(stage.look(&id).await, expected);
    }
    stage.running.emulator.change(|settings| settings.cloudkassir.looks = 0);
    let id = stage.receipt("2").await;
    assert_eq!(stage.look(&id).await, "Processed");
}

#[tokio::test]
async fn a_receipt_without_fiscal_data_has_none_in_its_details() {
    let stage = Stage::new().await;
    let id = stage.receipt("1").await;
    let details = json_of(stage.kassir("/kkt/receipt/get").json(&json!({"Id": id}))).await;
    assert_eq!(details["Model"]["Status"], "Queued");
    assert!(details["Model"].get("DocumentNumber").is_none());
    let unknown = json_of(stage.kassir("/kkt/receipt/get").json(&json!({"Id": "AAAAAAA"}))).await;
    assert_eq!(unknown["Success"], false);
}

#[tokio::test]
async fn wrong_credentials_are_401_and_have_no_effect() {
    let stage = Stage::new().await;
    let url = format!("{}/kkt/receipt", stage.running.cloudkassir_url());
    let bare = stage.client.post(&url).json(&receipt("1"));
    assert_eq!(bare.try_clone().unwrap().send().await.unwrap().status(), 401);
    let wrong = bare.basic_auth("pk_emulator", Some("wrong"));
    assert_eq!(wrong.send().await.unwrap().status(), 401);
    assert_eq!(stage.running.emulator.cloudkassir.summary().receipts, 0);
    assert_eq!(json_of(stage.kassir("/test").json(&json!({}))).await["Success"], true);
}

#[tokio::test]
async fn a_refusal_is_http_200_with_a_code() {
    let stage = Stage::new().await;
    let mut body = receipt("1");
    body["CustomerReceipt"]["amounts"]["electronic"] = json!(979.99);
    let response = stage.ask("r1", &body).send().await.unwrap();
    assert_eq!(response.status(), 200);
    let answer: serde_json::Value = response.json().await.unwrap();
    assert_eq!(answer["Success"], false);
    assert_eq!(answer["Model"], json!({"Id": null, "ErrorCode": 13}));
    let summary = stage.running.emulator.cloudkassir.summary();
    assert_eq!((summary.receipts, summary.refused), (0, 1));
    assert_eq!(summary.violations.violation_count, 0, "a wrong sum is no breach of the protocol");
}

#[tokio::test]
async fn an_unknown_field_or_method_is_a_violation() {
    let stage = Stage::new().await;
    let mut body = receipt("1");
    body["CustomerReceipt"]["Items"][0]["ean13"] = json!("4601234567893");
    let answer = json_of(stage.ask("r1", &body)).await;
    assert_eq!(answer["Model"]["ErrorCode"], 27);
    assert_eq!(stage.kassir("/kkt/other").json(&body).send().await.unwrap().status(), 404);
    let form = stage.kassir("/kkt/receipt").body("Inn=1").send().await.unwrap();
    assert_eq!(form.status(), 415);
    let summary = stage.running.emulator.cloudkassir.summary();
    assert_eq!(summary.violations.violation_count, 3);
    assert!(summary.violations.violations[0].contains("ean13"));
}

#[tokio::test]
async fn the_same_request_id_gives_the_first_answer_for_an_hour() {
    let stage = Stage::new().await;
    let first = json_of(stage.ask("r1", &receipt("1"))).await;
    assert_eq!(json_of(stage.ask("r1", &receipt("1"))).await, first);
    stage.control("/_clock", json!({"advance_s": 3598})).await;
    assert_eq!(json_of(stage.ask("r1", &receipt("1"))).await, first);
    let one = stage.running.emulator.cloudkassir.books().receipts()[0].clone();
    assert_eq!((one.requested, one.request_id.as_deref()), (3, Some("r1")));
    stage.control("/_clock", json!({"advance_s": 10})).await;
    assert_ne!(json_of(stage.ask("r1", &receipt("1"))).await, first, "forgotten after an hour");
    let summary = stage.running.emulator.cloudkassir.summary();
    assert_eq!((summary.receipts, summary.distinct_invoices, summary.repeated), (2, 1, 2));
    assert_eq!(summary.duplicated, ["1 Income"]);
}

#[tokio::test]
async fn a_refusal_is_remembered_as_well() {
    let stage = Stage::new().await;
    let mut body = receipt("1");
    body["Type"] = json!("Sell");
    let first = json_of(stage.ask("r1", &body)).await;
    assert_eq!(json_of(stage.ask("r1", &body)).await, first);
    let summary = stage.running.emulator.cloudkassir.summary();
    assert_eq!((summary.refused, summary.repeated), (1, 1));
}

#[tokio::test]
async fn the_same_request_id_with_another_body_is_refused_and_booked() {
    let stage = Stage::new().await;
    stage.ask("r1", &receipt("1")).send().await.unwrap();
    let answer = json_of(stage.ask("r1", &receipt("2"))).await;
    assert_eq!(answer["Success"], false);
    let summary = stage.running.emulator.cloudkassir.summary();
    assert_eq!(summary.receipts, 1);
    assert!(summary.violations.violations[0].contains("another body"));
}

#[tokio::test]
async fn without_a_request_id_each_request_is_a_receipt_and_a_violation() {
    let stage = Stage::new().await;
    for _ in 0..2 {
        stage.kassir("/kkt/receipt").json(&receipt("1")).send().await.unwrap();
    }
    let summary = stage.running.emulator.cloudkassir.summary();
    assert_eq!((summary.receipts, summary.violations.violation_count), (2, 2));
    assert_eq!(summary.duplicated, ["1 Income"]);
}

#[tokio::test]
async fn a_return_of_the_same_invoice_is_no_duplicate() {
    let stage = Stage::new().await;
    let mut back = receipt("1");
    back["Type"] = json!("IncomeReturn");
    stage.receipt("1").await;
    stage.ask("r2", &back).send().await.unwrap();
    let summary = stage.running.emulator.cloudkassir.summary();
    assert_eq!((summary.receipts, summary.distinct_invoices), (2, 2));
    assert!(summary.duplicated.is_empty());
}

#[tokio::test]
async fn the_books_show_each_receipt_as_it_was_sent() {
    let stage = Stage::new().await;
    let body = r#"{"Inn":"7708806062","Type":"Income","InvoiceId":"7","CustomerReceipt":{"Items":[{"label":"x",
        "price":0.10,"quantity":3.000,"amount":0.30,"vat":null,"method":4,"object":1}],"taxationSystem":1,
        "phone":"+79001234567","amounts":{"electronic":0.30}}}"#;
    let request = stage.kassir("/kkt/receipt").header("X-Request-ID", "r").body(body);
    let answer = json_of(request.header("Content-Type", "application/json")).await;
    let id = answer["Model"]["Id"].as_str().unwrap().to_owned();
    let books = stage.get("/_books/cloudkassir").await;
    assert_eq!(books["receipts"][0]["total_kopecks"], 30);
    assert_eq!(books["receipts"][0]["items"][0]["quantity"], "3.000");
    assert_eq!(books["invoices"]["7"], 1);
    let exact =
        stage.client.get(stage.url(&format!("/_books/cloudkassir/{id}"))).send().await.unwrap();
    assert!(exact.text().await.unwrap().contains(r#""price":0.10,"#), "digit for digit");
    let missing = stage.client.get(stage.url("/_books/cloudkassir/AAAAAAA")).send().await.unwrap();
    assert_eq!(missing.status(), 404);
}

#[tokio::test]
async fn all_receipts_can_be_processed_at_once() {
    let stage = Stage::new().await;
    let id = stage.receipt("1").await;
    stage.receipt("2").await;
    stage.control("/_cloudkassir/process", json!({})).await;
    let books = stage.running.emulator.cloudkassir.books();
    assert!(books.receipts().iter().all(|receipt| receipt.status == Status::Processed));
    assert_eq!(books.receipt(&id).unwrap().fiscal.as_ref().unwrap().document_number, 1);
}
