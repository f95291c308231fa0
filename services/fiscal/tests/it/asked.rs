//! Receipts that people ask for by name, from the interface to the register.

use std::time::Duration;

use axum::{
    body::{Body, to_bytes},
    http::{Request, StatusCode},
};
use emulator::{Fault, Kind, System};
use events::Phase;
use fiscal::{receipt::Rules, registers::RegisterName};
use runtime::{
    Class, Worker as _,
    testing::{End, Job},
};
use serde_json::{Value, json};
use tower::ServiceExt as _;

use crate::{
    order::{order, rules_with},
    world::{Changes, World, dead, job, on_receipt, statuses, told},
};

fn rules() -> Rules {
    rules_with("seller_email = 'shop@acme.example'")
}

async fn world(register: RegisterName) -> World {
    World::with(Changes { register, rules: Some(rules()), ..Changes::default() }).await
}

/// A sale of two mugs that nobody receipted.
pub(crate) fn correction() -> Value {
    json!({
        "shop": "acme", "order": {"id": 1001, "number": "A-1001"}, "kind": "sale",
        "correction": {"basis": "own", "date": "2026-01-04", "document": "СЗ-7",
                       "reason": "касса не работала"},
        "email": "buyer@example.com",
        "positions": [{"name": "Кружка «Волга»", "price": "590.50", "quantity": "2",
                       "vat": "vat22", "method": "full_payment", "object": "commodity",
                       "unit": "796", "mark": null}],
        "payments": {"electronic": "1181.00"},
    })
}

/// The answer of the service's interface.
pub(crate) async fn call(
    world: &World,
    method: &str,
    path: &str,
    body: Option<&Value>,
) -> (StatusCode, Value) {
    let request = Request::builder().method(method).uri(path);
    let request = request.header("authorization", "Bearer the_token");
    let body = body.map_or_else(Body::empty, |body| Body::from(body.to_string()));
    send(world, request.body(body).unwrap()).await
}

async fn send(world: &World, request: Request<Body>) -> (StatusCode, Value) {
    let routes = std::sync::Arc::clone(&world.fiscal).routes();
    let response = routes.oneshot(request).await.unwrap();
    let status = response.status();
    let bytes = to_bytes(response.into_body(), 1 << 20).await.unwrap();
    (status, serde_json::from_slice(&bytes).unwrap_or(Value::Null))
}

async fn ask(world: &World, body: &Value) -> (StatusCode, Value) {
    call(world, "POST", "/v1/corrections", Some(body)).await
}

/// The only job that the service told itself.
pub(crate) fn only_job(world: &World) -> Job {
    let mut jobs = world.told.jobs();
    assert_eq!(jobs.len(), 1);
    jobs.remove(0)
}

#[tokio::test]
async fn a_correction_is_issued_at_each_register_that_has_one() {
    for (register, system) in [
        (RegisterName::CloudKassir, None),
        (RegisterName::Atol, Some(System::Atol)),
        (RegisterName::CloudKassirV1, Some(System::CloudKassirV1)),
    ] {
        let world = world(register).await;
        let (status, answer) = ask(&world, &correction()).await;
        assert_eq!(status, StatusCode::ACCEPTED, "{answer}");
        assert_eq!(answer["state"], "waiting");
        let name = answer["receipt"].as_str().unwrap().to_owned();
        let mut job = only_job(&world);
        assert_eq!(world.carry(&mut job).await, ["wait 5s", "wait 10s", "done"], "{register:?}");
        assert_eq!(
            told(&job),
            [(Phase::Working, "receipt_accepted"), (Phase::Done, "receipt_done")]
        );
        let done = statuses(&job).pop().unwrap().clone();
        assert!(done.text.ru.starts_with("Чек коррекции по заказу № A-1001 пробит"), "{done:?}");
        assert!(done.properties.is_empty(), "the order's properties are about its sale");
        let (status, shown) = call(&world, "GET", &format!("/v1/receipts/{name}"), None).await;
        assert_eq!((status, &shown["state"]), (StatusCode::OK, &json!("issued")), "{shown}");
        assert!(shown["fiscal"]["document"].is_string(), "{shown}");
        match system {
            None => {
                let receipt = world.only_receipt();
                assert!(receipt.correction && receipt.total_kopecks == 118_100);
                let body = &receipt.customer_receipt;
                let cause = r#""CauseCorrection":{"CorrectionDate":"2026-01-04","CorrectionNumber":"СЗ-7"},"CorrectionType":0"#;
                assert!(body.contains(cause), "{body}");
            }
            Some(system) => {
                let till = world.emulator.emulator.till(system).unwrap();
                assert_eq!((till.summary().receipts, till.summary().processed), (1, 1));
                assert_eq!(till.summary().violations.violation_count, 0);
                let books = till.books();
                let receipt = &books.receipts()[0];
                let info = r#"{"type":"self","base_date":"04.01.2026","base_number":"СЗ-7"}"#;
                assert!(receipt.body.contains(info), "{}", receipt.body);
                assert_eq!(receipt.total_kopecks, 118_100);
            }
        }
    }
}

#[tokio::test]
async fn a_correction_told_twice_is_one_receipt() {
    let world = World::new().await;
    let (_, first) = ask(&world, &correction()).await;
    let (status, again) = ask(&world, &correction()).await;
    assert_eq!((status, &again["receipt"]), (StatusCode::OK, &first["receipt"]));
    let mut job = only_job(&world);
    world.carry(&mut job).await;
    let (status, again) = ask(&world, &correction()).await;
    assert_eq!((status, &again["state"]), (StatusCode::OK, &json!("issued")));
    assert!(world.told.jobs().is_empty());
    assert_eq!(world.carry(&mut job).await, ["done"], "the event told again");
    world.only_receipt();
    // Another one under the same document is told apart, and never taken for the first.
    let mut other = correction();
    other["payments"] = json!({"cash": "1181.00"});
    let (status, refused) = ask(&world, &other).await;
    assert_eq!(
        (status, &refused["error"]["code"]),
        (StatusCode::CONFLICT, &json!("asked_otherwise"))
    );
    other["part"] = json!(2);
    assert_eq!(ask(&world, &other).await.0, StatusCode::ACCEPTED);
    let mut second = only_job(&world);
    world.carry(&mut second).await;
    assert_eq!(world.receipts().len(), 2);
}

#[tokio::test]
async fn what_is_no_lawful_correction_is_refused_in_whole_sentences() {
    let world = World::new().await;
    let cases: [(&str, Value, &str); 15] = [
        ("/correction/document", json!(""), "document_missing"),
        ("/correction/document", json!("1".repeat(33)), "document_missing"),
        ("/correction/reason", json!(" "), "reason_missing"),
        ("/correction/date", json!("2999-01-01"), "date_in_future"),
        ("/correction/date", json!("2025-12-31"), "vat_not_in_force"),
        ("/positions/0/vat", json!("vat20"), "vat_not_in_force"),
        ("/positions/0/price", json!("0"), "line_price_not_positive"),
        ("/positions/0/quantity", json!("0"), "line_quantity_zero"),
        ("/positions/0/unit", json!("999"), "unit_unknown"),
        ("/positions/0/unit", json!(null), "unit_missing"),
        ("/positions/0/object", json!("marked"), "marks_missing"),
        ("/positions/0/mark", json!("MDEwNDYw"), "marks_count"),
        ("/payments/electronic", json!("1181.01"), "amounts_mismatch"),
        ("/email", json!("nobody"), "contact_missing"),
        ("/shop", json!("stranger"), "shop_unknown"),
    ];
    for (place, value, code) in cases {
        let mut body = correction();
        *body.pointer_mut(place).unwrap_or_else(|| panic!("{place}")) = value;
        let (status, answer) = ask(&world, &body).await;
        assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY, "{place}: {answer}");
        assert_eq!(answer["error"]["code"], code, "{place}: {answer}");
        for language in ["ru", "en"] {
            let text = answer["error"][language].as_str().unwrap();
            assert!(
                text.contains("A-1001") && text.ends_with('.') && !text.contains("  "),
                "{text}"
            );
        }
    }
    for (place, value) in [
        ("/positions/0/vat", json!("vat21")),
        ("/positions/0/price", json!("590.505")),
        ("/positions/0/price", json!(590.5)),
        ("/payments/electronic", json!("-1")),
        ("/correction/basis", json!("whim")),
        ("/kind", json!("gift")),
    ] {
        let mut body = correction();
        *body.pointer_mut(place).unwrap() = value;
        let (status, answer) = ask(&world, &body).await;
        let expected = if place == "/payments/electronic" { 422 } else { 400 };
        assert_eq!(status.as_u16(), expected, "{place}: {answer}");
    }
    assert!(world.told.jobs().is_empty());
    world.nothing_sent();
}

/// 20 % is no rate of 2026, but goods sold at it in 2025 still go back at it.
#[tokio::test]
async fn a_refund_is_corrected_at_the_rate_of_its_sale() {
    let world = World::new().await;
    let mut body = correction();
    body["kind"] = json!("refund");
    body["positions"][0]["vat"] = json!("vat20");
    assert_eq!(ask(&world, &body).await.0, StatusCode::ACCEPTED);
    world.carry(&mut only_job(&world)).await;
    let receipt = world.only_receipt();
    assert_eq!((receipt.kind.as_str(), receipt.items[0].vat.as_str()), ("IncomeReturn", "20"));
}

#[tokio::test]
async fn a_register_without_corrections_says_so_at_the_door() {
    let world = world(RegisterName::OrangeData).await;
    let (status, answer) = ask(&world, &correction()).await;
    assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY);
    let text = answer["error"]["ru"].as_str().unwrap();
    assert!(text.contains("OrangeData") && text.contains("коррекции"), "{text}");
    assert!(world.told.jobs().is_empty());
    let four =
        Changes { atol_version: Some("v4"), register: RegisterName::Atol, ..Changes::default() };
    let world = World::with(Changes { rules: Some(rules()), ..four }).await;
    let (status, answer) = ask(&world, &correction()).await;
    assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(answer["error"]["en"].as_str().unwrap().contains("version 5"), "{answer}");
}

#[tokio::test]
async fn nobody_without_the_token_is_let_in() {
    let world = World::new().await;
    for header in
        [None, Some("Bearer "), Some("Bearer the_tokens"), Some("the_token"), Some("Basic x")]
    {
        let mut request = Request::builder().method("POST").uri("/v1/corrections");
        if let Some(header) = header {
            request = request.header("authorization", header);
        }
        let body = Body::from(correction().to_string());
        let (status, answer) = send(&world, request.body(body).unwrap()).await;
        assert_eq!(status, StatusCode::UNAUTHORIZED, "{header:?}: {answer}");
    }
    let (status, _) = call(&world, "GET", "/v1/receipts/acme:1:2:correct", None).await;
    assert_eq!(status, StatusCode::NOT_FOUND);
    assert!(world.told.jobs().is_empty());
}

/// Kept first, told second: neither a broker that is away nor a crash in between loses it.
#[tokio::test]
async fn a_correction_that_could_not_be_told_is_told_later() {
    let world = World::new().await;
    world.told.away(true);
    let (status, _) = ask(&world, &correction()).await;
    assert_eq!(status, StatusCode::ACCEPTED);
    assert_eq!(world.fiscal.tell_after(Duration::ZERO).await.unwrap(), 0);
    assert!(world.told.jobs().is_empty());
    world.told.away(false);
    let another = world.another();
    assert_eq!(another.tell_after(Duration::ZERO).await.unwrap(), 1);
    let mut job = only_job(&world);
    world.carry(&mut job).await;
    world.only_receipt();
    assert_eq!(another.tell_after(Duration::ZERO).await.unwrap(), 0, "it has begun");
    world.without_database().await;
    assert_eq!(ask(&world, &correction()).await.0, StatusCode::SERVICE_UNAVAILABLE);
}

#[tokio::test]
async fn a_refused_correction_stops_and_may_be_asked_for_anew() {
    let world = World::new().await;
    let fault =
        Fault::new(System::CloudKassir, Kind::Refusal).on("/kkt/correction-receipt").code(27);
    world.fault(fault.times(1));
    let (_, answer) = ask(&world, &correction()).await;
    let path = format!("/v1/receipts/{}", answer["receipt"].as_str().unwrap());
    let mut first = only_job(&world);
    let end = first.run(&*world.fiscal).await;
    assert_eq!(dead(&end).1, "receipt_refused");
    let (_, shown) = call(&world, "GET", &path, None).await;
    assert_eq!(
        (&shown["state"], &shown["reason"]["code"]),
        (&json!("stopped"), &json!("receipt_refused"))
    );
    // The person mends it and asks again under the same document: a new attempt.
    let mut mended = correction();
    mended["email"] = json!("other@example.com");
    assert_eq!(ask(&world, &mended).await.0, StatusCode::ACCEPTED);
    let mut second = only_job(&world);
    // A replay of the first one comes to nothing: the second has its place.
    assert_eq!(world.carry(&mut first).await, ["done"]);
    world.carry(&mut second).await;
    let receipt = world.only_receipt();
    assert!(receipt.customer_receipt.contains("other@example.com"));
    let (_, shown) = call(&world, "GET", &path, None).await;
    assert_eq!(shown["state"], "issued");
}

/// What a person asked for is kept as long as the ledgers, all attempts of it together.
#[tokio::test]
async fn what_was_asked_for_is_forgotten_with_the_ledgers_and_not_while_it_is_open() {
    let world = World::new().await;
    let keep = Duration::from_secs(1830 * 86_400);
    let fault =
        Fault::new(System::CloudKassir, Kind::Refusal).on("/kkt/correction-receipt").code(27);
    world.fault(fault.times(1));
    ask(&world, &correction()).await;
    only_job(&world).run(&*world.fiscal).await;
    let mut mended = correction();
    mended["email"] = json!("other@example.com");
    ask(&world, &mended).await;
    world.carry(&mut only_job(&world)).await;
    let mut open = correction();
    open["correction"]["document"] = json!("СЗ-8");
    ask(&world, &open).await;
    let requests = fiscal::store::Requests::new(world.ledgers.pool().clone());
    assert_eq!(requests.forget(keep).await.unwrap(), 0, "too young");
    world.age_ledgers().await;
    assert_eq!(requests.forget(keep).await.unwrap(), 2, "both attempts");
    assert_eq!(requests.forget(keep).await.unwrap(), 0, "one waits");
}

/// Where nobody can tell whether the register took it, asking again is no way to a second one.
#[tokio::test]
async fn a_correction_in_doubt_is_not_asked_for_anew() {
    let world = World::new().await;
    let fault = Fault::new(System::CloudKassir, Kind::Garbage).on("/kkt/correction-receipt");
    world.fault(Fault { apply: Some(true), ..fault });
    ask(&world, &correction()).await;
    let mut job = only_job(&world);
    let way = world.carry(&mut job).await;
    assert_eq!(way.last().unwrap(), "dead receipt_unknown");
    let (status, shown) = ask(&world, &correction()).await;
    assert_eq!((status, &shown["state"]), (StatusCode::OK, &json!("unknown")));
    let mut other = correction();
    other["email"] = json!("other@example.com");
    assert_eq!(ask(&world, &other).await.0, StatusCode::CONFLICT);
    assert!(world.told.jobs().is_empty());
}

/// What a register has taken keeps its place, however a look at it ends: a second one asked for in
/// its place would be a second receipt.
#[tokio::test]
async fn a_correction_that_a_register_has_taken_is_not_asked_for_anew() {
    let world = World::new().await;
    let look =
        Fault::new(System::CloudKassir, Kind::Status).on("/kkt/correction-receipt/status/get");
    world.fault(look.code(403).times(1));
    ask(&world, &correction()).await;
    let mut job = only_job(&world);
    let way = world.carry(&mut job).await;
    assert_eq!(way.last().unwrap(), "dead request_rejected", "{way:?}");
    let mut other = correction();
    other["email"] = json!("other@example.com");
    assert_eq!(ask(&world, &other).await.0, StatusCode::CONFLICT);
    let (status, shown) = ask(&world, &correction()).await;
    assert_eq!((status, &shown["state"]), (StatusCode::OK, &json!("unknown")), "{shown}");
    assert!(world.told.jobs().is_empty());
    assert_eq!(world.carry(&mut job).await.last().unwrap(), "done", "a replay looks again");
    world.only_receipt();
    assert_eq!(ask(&world, &correction()).await.1["state"], "issued");
}

/// An order without an address gave no receipt, a person corrected that by a paper, and then somebody
/// mends the order: what stopped goes on by itself, and must not receipt the sale once more.
#[tokio::test]
async fn a_sale_that_people_have_corrected_gets_no_late_receipt_by_itself() {
    for (day, may_be_it) in [("2026-01-05", true), ("2026-01-04", false)] {
        let world = World::new().await;
        let mut nobody = order();
        (nobody.buyer.email, nobody.buyer.phone) = (None, None);
        assert_eq!(world.carry(&mut job(nobody)).await, ["dead contact_missing"]);
        let mut paper = correction();
        paper["correction"]["date"] = json!(day);
        assert_eq!(ask(&world, &paper).await.0, StatusCode::ACCEPTED);
        world.carry(&mut only_job(&world)).await;
        world.only_receipt();
        let mut late = job(order());
        if may_be_it {
            let end = late.run(&*world.fiscal).await;
            assert_eq!(dead(&end), (Class::Unknown, "corrected_by_paper"));
            world.only_receipt();
            // A person has looked: the paper is about another settlement.
            late.absent::<fiscal::Fiscal>();
        }
        assert_eq!(world.carry(&mut late).await.last().unwrap(), "done", "{day}");
        assert_eq!(world.receipts().len(), 2, "{day}");
    }
}

/// What was refused is planned anew, and does not wait for its own first attempt.
#[tokio::test]
async fn a_refund_by_hand_that_was_refused_may_be_asked_for_anew() {
    let world = World::new().await;
    world.carry(&mut job(order())).await;
    world.fault(on_receipt(Kind::Refusal).code(13).times(1));
    let body = json!({"shop": "acme", "order": {"id": 1001, "number": "A-1001"},
                      "refund": {"document": "З-1", "goods": true, "all": true}});
    for end in ["dead receipt_refused", "done"] {
        let (status, answer) = call(&world, "POST", "/v1/refunds", Some(&body)).await;
        assert_eq!(status, StatusCode::ACCEPTED, "{answer}");
        assert_eq!(world.carry(&mut only_job(&world)).await.last().unwrap(), end);
    }
    assert_eq!(world.receipts().len(), 2);
}

/// A receipt is on its way, and somebody who does not see it asks for a correction of the same sale.
#[tokio::test]
async fn a_correction_beside_a_receipt_that_is_on_its_way_stops_for_a_person() {
    let world = World::new().await;
    world.fault(on_receipt(Kind::Refuse).times(1));
    let mut sale = job(order());
    sale.run(&*world.fiscal).await;
    world.nothing_sent();
    assert_eq!(ask(&world, &correction()).await.0, StatusCode::ACCEPTED);
    let mut paper = only_job(&world);
    let end = paper.run(&*world.fiscal).await;
    assert_eq!(dead(&end), (Class::Unknown, "receipt_in_flight"));
    assert_eq!(world.carry(&mut sale).await.last().unwrap(), "done");
    world.only_receipt();
    // Without a receipt on its way it is a correction like any other.
    assert_eq!(world.carry(&mut paper).await.last().unwrap(), "done");
    assert_eq!(world.receipts().len(), 2);
}

/// Nobody could tell, then a person found the receipt in the cabinet: the order goes on from there.
#[tokio::test]
async fn a_receipt_that_a_person_found_counts_as_issued() {
    let hasty = Changes { timeout: Some(Duration::from_millis(1500)), ..Changes::default() };
    let world = World::with(hasty).await;
    world.fault(on_receipt(Kind::Hang).times(1));
    let mut sale = job(order());
    sale.run(&*world.fiscal).await;
    world.pass(Duration::from_secs(3600));
    let end = sale.run(&*world.fiscal).await;
    assert_eq!(dead(&end), (Class::Unknown, "receipt_unknown"));

    let body = json!({"shop": "acme", "order": {"id": 1001, "number": "A-1001"},
                      "refund": {"document": "З-1", "goods": true, "all": true}});
    assert_eq!(call(&world, "POST", "/v1/refunds", Some(&body)).await.0, StatusCode::ACCEPTED);
    let mut refund = only_job(&world);
    let waits = refund.run(&*world.fiscal).await;
    assert!(matches!(waits, End::Wait(_)), "the sale is open: {waits:?}");

    sale.found::<fiscal::Fiscal>();
    assert_eq!(sale.run(&*world.fiscal).await, End::Done);
    assert_eq!(world.carry(&mut refund).await.last().unwrap(), "done");
    let receipts = world.receipts();
    let kinds: Vec<&str> = receipts.iter().map(|receipt| receipt.kind.as_str()).collect();
    assert_eq!(kinds, ["Income", "IncomeReturn"]);
}

/// A field that nobody reads is a wish that nobody fulfils.
#[tokio::test]
async fn a_misspelt_wish_is_refused() {
    let world = World::new().await;
    world.carry(&mut job(order())).await;
    let body = json!({"shop": "acme", "order": {"id": 1001}, "parts": 2,
                      "refund": {"document": "З-1", "goods": true, "all": true}});
    let (status, answer) = call(&world, "POST", "/v1/refunds", Some(&body)).await;
    assert_eq!(status, StatusCode::BAD_REQUEST, "{answer}");
    assert!(world.told.jobs().is_empty());
}

#[tokio::test]
async fn a_refund_by_hand_takes_lines_delivery_and_codes_of_the_sale() {
    let world = World::new().await;
    let mut sold = order();
    sold.lines[0].marked = true;
    let code = |text: &str| events::MarkCode::from_text(text).unwrap();
    sold.lines[0].marks = vec![code("0104600001\u{1d}93abc"), code("0104600002\u{1d}93abc")];
    let ask = async |refund: Value| {
        let body =
            json!({"shop": "acme", "order": {"id": 1001, "number": "A-1001"}, "refund": refund});
        call(&world, "POST", "/v1/refunds", Some(&body)).await
    };
    let wish = |document: &str, more: Value| {
        let mut refund = json!({"document": document, "goods": true});
        refund.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        refund
    };
    let (status, answer) = ask(wish("1", json!({"all": true}))).await;
    assert_eq!((status.as_u16(), &answer["error"]["code"]), (422, &json!("nothing_sold")));
    world.carry(&mut job(sold)).await;
    for (more, code) in [
        (json!({"lines": {"7": "1"}}), "refund_codes_unknown"),
        (
            json!({"lines": {"7": "1"}, "codes": ["MDEwNDYwMDAwMR05M2FiYw==",
                                                  "MDEwNDYwMDAwMh05M2FiYw=="]}),
            "refund_codes_unknown",
        ),
        (json!({"lines": {"7": "3"}}), "refund_above_sale"),
        (json!({"lines": {"8": "1"}}), "refund_above_sale"),
        (json!({"lines": {}}), "nothing_sold"),
        (json!({"all": true, "payment": 56}), "payment_not_receipted"),
        (json!({"all": true, "lines": {"7": "1"}}), "refund_all_and_some"),
        (json!({"all": true, "delivery": true}), "refund_all_and_some"),
    ] {
        let (status, answer) = ask(wish("1", more)).await;
        assert_eq!((status.as_u16(), &answer["error"]["code"]), (422, &json!(code)), "{answer}");
    }
    let second = serde_json::to_value(code("0104600002\u{1d}93abc")).unwrap();
    let one = wish("З-1", json!({"lines": {"7": "1"}, "codes": [second], "delivery": true}));
    let (status, answer) = ask(one.clone()).await;
    assert_eq!(status, StatusCode::ACCEPTED, "{answer}");
    let mut job = only_job(&world);
    assert_eq!(world.carry(&mut job).await.last().unwrap(), "done");
    assert_eq!(ask(one).await.1["state"], "issued", "told twice");
    let receipts = world.receipts();
    let refund = &receipts[1];
    assert_eq!((refund.kind.as_str(), refund.total_kopecks), ("IncomeReturn", 89_050));
    assert!(refund.customer_receipt.contains("0104600002"), "{}", refund.customer_receipt);
    assert!(!refund.customer_receipt.contains("0104600001"));
    assert!(refund.invoice_id.contains(":hand:1:1"), "{}", refund.invoice_id);
    let rest = ask(wish("З-2", json!({"all": true, "payment": 55, "money": "electronic"}))).await;
    assert_eq!(rest.0, StatusCode::ACCEPTED, "{rest:?}");
    assert_eq!(world.carry(&mut only_job(&world)).await.last().unwrap(), "done");
    assert_eq!(world.receipts()[2].total_kopecks, 59_050);
    let (status, answer) = ask(wish("З-3", json!({"all": true}))).await;
    assert_eq!((status.as_u16(), &answer["error"]["code"]), (422, &json!("nothing_sold")));
}

/// The command line is the interface, from a shell.
#[tokio::test(flavor = "multi_thread")]
async fn the_command_asks_shows_and_tells_what_is_wrong() {
    let world = World::new().await;
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let routes = std::sync::Arc::clone(&world.fiscal).routes();
    tokio::spawn(async move { axum::serve(listener, routes).await });
    let whole = correction();
    let content = json!({"email": whole["email"], "positions": whole["positions"],
                         "payments": whole["payments"]});
    let file = std::env::temp_dir().join(format!("receipt-{}.json", uuid::Uuid::new_v4()));
    std::fs::write(&file, content.to_string()).unwrap();
    let fiscal = async |arguments: Vec<String>| {
        let url = url.clone();
        let run = move || {
            std::process::Command::new(env!("CARGO_BIN_EXE_fiscal"))
                .args(arguments)
                .env("PAROM_FISCAL_URL", url)
                .env("FISCAL_API_TOKEN", "the_token")
                .output()
                .unwrap()
        };
        let output = tokio::task::spawn_blocking(run).await.unwrap();
        let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
        (output.status.code(), text(&output.stdout), text(&output.stderr))
    };
    let words = |text: &str| text.split(' ').map(str::to_owned).collect::<Vec<_>>();
    let correct = |date: &str| {
        let mut all = words(&format!(
            "correct --shop acme --order 1001 --number A-1001 --kind sale --basis self \
             --document СЗ-7 --reason ошибка --date {date} --file"
        ));
        all.push(file.display().to_string());
        all
    };
    let (code, _, error) = fiscal(correct("2999-01-01")).await;
    assert_eq!(code, Some(1));
    assert!(error.contains("ещё не наступил") && error.contains("has not come yet"), "{error}");
    let (code, told, error) = fiscal(correct("2026-01-04")).await;
    assert_eq!(code, Some(0), "{error}");
    let told: Value = serde_json::from_str(&told).unwrap();
    let mut job = only_job(&world);
    world.carry(&mut job).await;
    let (code, shown, _) =
        fiscal(words(&format!("receipt {}", told["receipt"].as_str().unwrap()))).await;
    assert_eq!(code, Some(0));
    assert!(shown.contains("\"state\": \"issued\""), "{shown}");
    let (code, ..) = fiscal(words("correct --shop acme")).await;
    assert_eq!(code, Some(2), "not understood");
    let refund = words("refund --shop acme --order 1001 --document З-1 --line 7=1 --goods");
    let (code, _, error) = fiscal(refund).await;
    assert_eq!(code, Some(1));
    assert!(error.contains("возвращать нечего"), "{error}");
    world.only_receipt();
    std::fs::remove_file(file).unwrap();
}
