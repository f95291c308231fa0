//! The exact bytes of `POST /kkt/receipt`, and the names of receipts.

use events::{Fact, MarkCode, PaymentFact, Vat};
use fiscal::{
    key::{self, MAX_CHARS, request_id, shop_of},
    receipt::{Basis, Correction, Receipt},
    registers::{Naming, atol, cloudkassir, cloudkassir_v1},
};
use insta::assert_snapshot;

use crate::order::{order, paid, priced, rules, rules_with, sale, with_line};

fn body(receipt: &Receipt, name: &str, buyer: Option<u64>) -> String {
    let naming = Naming { name, buyer, at: order().updated_at };
    cloudkassir::body::write(receipt, &naming).unwrap()
}

fn invoice_id(paid: &PaymentFact, revision: u32) -> String {
    key::invoice_id(&Fact::OrderPaid(Box::new(paid.clone())), revision).unwrap()
}

#[test]
fn a_full_payment() {
    let receipt = sale(&order(), 55, &rules()).unwrap();
    let body = body(&receipt, "acme:1001:55:sell:1:1", Some(42));
    assert_snapshot!(body);
}

#[test]
fn a_prepayment_in_cash_by_phone_without_vat() {
    let mut order = priced(with_line(order(), "Сыр «Российский»", "899.90", "0.746"), "2152.33");
    order.lines[0].vat = Vat::None;
    order.lines[1].unit = Some("166".into());
    order.buyer.email = None;
    order.payments[0].system = Some(5);
    let receipt = sale(&order, 55, &rules_with("settlement = 'full_prepayment'")).unwrap();
    let body = body(&receipt, "acme:site-1001:55:sell:1:2", None);
    assert_snapshot!(body);
}

#[test]
fn a_mark_code_keeps_its_separators() {
    let mut order = order();
    order.lines[0].marks = ["0104600001\u{1d}93abc", "0104600002\u{1d}93\"<"]
        .map(|code| MarkCode::from_text(code).unwrap())
        .to_vec();
    let receipt = sale(&order, 55, &rules()).unwrap();
    let body = body(&receipt, "acme:1001:55:sell:1:1", None);
    assert!(body.contains(r#""rawMarkCode":"0104600001\u001d93abc","expectedMarkItemStatus":1"#));
    assert!(body.contains(r#""rawMarkCode":"0104600002\u001d93\"<""#));
}

#[test]
fn names_tell_what_happened_and_nothing_else() {
    let portal = paid(order());
    assert_eq!(invoice_id(&portal, 1), "acme:1001:55:sell:1:1");
    let mut site = portal.clone();
    site.order.key.site = true;
    assert_eq!(invoice_id(&site, 1), "acme:site-1001:55:sell:1:1");
    let mut again = portal.clone();
    again.occurrence = 2;
    assert_eq!(invoice_id(&again, 3), "acme:1001:55:sell:2:3");
    let mut changed = portal.clone();
    changed.order = priced(with_line(order(), "Ложка", "1", "1"), "9");
    assert_eq!(invoice_id(&changed, 1), invoice_id(&portal, 1));
    assert_eq!(
        request_id("acme:1001:55:sell:1:1").to_string(),
        "17215e8c-8e25-5745-995a-dd75c376a161"
    );
}

#[test]
fn the_longest_name_fits() {
    let mut longest = paid(order());
    longest.order.key.shop = "a".repeat(40).parse().unwrap();
    longest.order.key.id = u64::MAX;
    longest.order.key.site = true;
    longest.payment = u64::MAX;
    longest.occurrence = u32::MAX;
    assert!(invoice_id(&longest, u32::MAX).len() <= MAX_CHARS);
}

#[test]
fn a_shop_is_read_only_from_names_of_ours() {
    assert_eq!(shop_of("acme:site-1001:55:sell:1:1"), Some("acme"));
    assert_eq!(shop_of("acme:1001:s7:close:1:1"), Some("acme"));
    for stranger in ["", "1001", "acme:1001", "acme:1001:55:gift:1:1", "a:1:2:sell:1:1:1"] {
        assert_eq!(shop_of(stranger), None, "{stranger}");
    }
}

#[test]
fn a_correction_names_its_document_and_its_day() {
    let mut receipt = sale(&order(), 55, &rules_with("seller_email = 's@acme.example'")).unwrap();
    receipt.correction = Some(Correction {
        basis: Basis::Own,
        date: time::macros::date!(2026 - 01 - 04),
        document: "СЗ-7".into(),
        reason: "чек не был пробит".into(),
    });
    let name = "acme:1001:55:sell:1:1";
    let naming = Naming { name, buyer: None, at: order().updated_at };
    let five = atol::body::write(&receipt, &naming, atol::Version::V5, None).unwrap();
    let brief = cloudkassir_v1::body::write(&receipt, &naming, None).unwrap();
    for text in [&five, &brief] {
        assert!(text.contains(r#"{"type":"self","base_date":"04.01.2026","base_number":"СЗ-7"}"#));
    }
    let text = body(&receipt, name, None);
    assert!(text.contains(r#""CorrectionReceiptType":1,"CauseCorrection":{"CorrectionDate":"2026-01-04","CorrectionNumber":"СЗ-7"},"CorrectionType":0"#), "{text}");
    assert!(atol::body::write(&receipt, &naming, atol::Version::V4, None).is_err());
}

/// ATOL's form for the same receipt: version 5 has numbers where version 4 has words.
#[test]
fn a_full_payment_at_atol() {
    let receipt = sale(&order(), 55, &rules_with("seller_email = 's@acme.example'")).unwrap();
    let naming = Naming { name: "acme:1001:55:sell:1:1", buyer: None, at: order().updated_at };
    let five = atol::body::write(&receipt, &naming, atol::Version::V5, Some("https://x.example/a"));
    assert_snapshot!(five.unwrap());
    let four = atol::body::write(&receipt, &naming, atol::Version::V4, None);
    assert_snapshot!(four.unwrap());
}
