//! Receipts of paid orders: what is in them, and what gives none.

use events::{MarkCode, MarksBy, Money, Order, Vat};
use fiscal::receipt::{Amounts, Contact, MoneyKind, Object, Position, Receipt, Rules, Settlement};
use proptest::prelude::*;

use crate::order::{order, priced, qty, rub, rules, rules_with, sale, with_line};

fn receipt(order: &Order, rules: &Rules) -> Receipt {
    sale(order, 55, rules).unwrap()
}

fn refusal(order: &Order, rules: &Rules) -> &'static str {
    sale(order, 55, rules).unwrap_err().code()
}

fn sums(receipt: &Receipt) -> Vec<String> {
    let row = |p: &Position| format!("{} x {} = {}", p.price, p.quantity, p.sum);
    receipt.positions.iter().map(row).collect()
}

fn marked(mut order: Order, codes: &[&str]) -> Order {
    order.lines[0].marked = true;
    order.lines[0].marks = codes.iter().map(|code| MarkCode::from_text(code).unwrap()).collect();
    order
}

#[test]
fn a_full_payment_lists_lines_and_delivery_at_plain_rates() {
    let receipt = receipt(&order(), &rules());
    assert_eq!(sums(&receipt), ["590.50 x 2 = 1181.00", "300.00 x 1 = 300.00"]);
    let rows: Vec<_> = receipt.positions.iter().map(|p| (p.vat, p.settlement, p.object)).collect();
    assert_eq!(
        rows,
        [
            (Vat::V22, Settlement::FullPayment, Object::Commodity),
            (Vat::V22, Settlement::FullPayment, Object::Service),
        ]
    );
    assert_eq!(receipt.total, rub("1481.00"));
    assert_eq!(receipt.amounts, Amounts::of(MoneyKind::Electronic, rub("1481.00")));
    assert_eq!(receipt.contact, Contact::Email("buyer@example.com".into()));
}

#[test]
fn codes_that_a_document_withdraws_are_on_no_receipt() {
    let codes = ["0104600001\u{1d}93abc", "0104600002\u{1d}93abc"];
    let of = |marks_by| {
        let mut order = marked(order(), &codes);
        order.marks_by = marks_by;
        let receipt = receipt(&order, &rules());
        let row = |p: &Position| (p.object, p.quantity.to_string(), p.mark.is_some());
        receipt.positions.iter().map(row).collect::<Vec<_>>()
    };
    let delivery = || (Object::Service, "1".to_owned(), false);
    let piece = || (Object::Marked, "1".to_owned(), true);
    assert_eq!(of(MarksBy::Receipt), [piece(), piece(), delivery()]);
    assert_eq!(of(MarksBy::Document), [(Object::Markable, "2".to_owned(), false), delivery()]);
    // The storekeeper scans at the register's other side: the shop need not name a code.
    let mut bare = marked(order(), &[]);
    bare.marks_by = MarksBy::Document;
    assert!(receipt(&bare, &rules()).positions.iter().all(|position| position.mark.is_none()));
    bare.marks_by = MarksBy::Receipt;
    assert_eq!(refusal(&bare, &rules()), "marks_missing");
}

#[test]
fn a_prepayment_has_calculated_rates_and_no_mark_codes() {
    let mut order = marked(order(), &["010460", "010461"]);
    order.delivery.as_mut().unwrap().vat = Some(Vat::None);
    let receipt = receipt(&order, &rules_with("settlement = 'full_prepayment'"));
    let rows: Vec<_> =
        receipt.positions.iter().map(|p| (p.vat, p.settlement, p.object, &p.mark)).collect();
    assert_eq!(
        rows,
        [
            (Vat::C22, Settlement::FullPrepayment, Object::Payment, &None),
            (Vat::None, Settlement::FullPrepayment, Object::Payment, &None),
        ]
    );
    let goods = rules_with("settlement = 'full_prepayment'\nprepayment_object = 'goods'");
    let objects: Vec<_> =
        sale(&order, 55, &goods).unwrap().positions.iter().map(|p| p.object).collect();
    assert_eq!(objects, [Object::Markable, Object::Service]);
}

#[test]
fn zero_percent_and_no_vat_stay_different() {
    let mut order = order();
    order.lines[0].vat = Vat::V0;
    order.delivery.as_mut().unwrap().vat = Some(Vat::None);
    for settlement in ["full_payment", "full_prepayment"] {
        let rules = rules_with(&format!("settlement = '{settlement}'"));
        let rates: Vec<_> = receipt(&order, &rules).positions.iter().map(|p| p.vat).collect();
        assert_eq!(rates, [Vat::V0, Vat::None]);
    }
}

#[test]
fn a_discount_on_the_order_is_taken_off_every_position_exactly() {
    // Lines 1181.00 + 99.99 and delivery 300.00 make 1580.99; the buyer pays 1500.00.
    let order = priced(with_line(order(), "Ложка", "33.33", "3"), "1500.00");
    let receipt = receipt(&order, &rules());
    assert_eq!(
        sums(&receipt),
        ["560.25 x 2 = 1120.50", "31.62 x 2 = 63.24", "31.63 x 1 = 31.63", "284.63 x 1 = 284.63",]
    );
    assert_eq!(receipt.total, rub("1500.00"));
}

#[test]
fn marked_goods_stand_piece_by_piece_each_with_its_code() {
    let order = priced(marked(order(), &["0104600\u{1d}91", "0104601\u{1d}91"]), "1480.99");
    let receipt = receipt(&order, &rules());
    assert_eq!(
        sums(&receipt),
        ["590.49 x 1 = 590.49", "590.50 x 1 = 590.50", "300.00 x 1 = 300.00"]
    );
    let codes: Vec<_> = receipt.positions.iter().map(|p| (p.object, p.mark.clone())).collect();
    let code = |text: &str| Some(MarkCode::from_text(text).unwrap());
    assert_eq!(
        codes,
        [
            (Object::Marked, code("0104600\u{1d}91")),
            (Object::Marked, code("0104601\u{1d}91")),
            (Object::Service, None),
        ]
    );
    let excise = rules_with("object = 'excise'");
    assert_eq!(sale(&order, 55, &excise).unwrap().positions[0].object, Object::ExciseMarked);
}

#[test]
fn mark_codes_must_be_as_many_as_pieces_and_all_different() {
    let rules = rules();
    assert_eq!(refusal(&marked(order(), &[]), &rules), "marks_missing");
    assert_eq!(refusal(&marked(order(), &["a"]), &rules), "marks_count");
    assert_eq!(refusal(&marked(order(), &["a", "b", "c"]), &rules), "marks_count");
    assert_eq!(refusal(&marked(order(), &["a", "a"]), &rules), "mark_twice");
    let mut order = marked(order(), &["a", "b"]);
    order.lines[0].marks[1] = MarkCode::from_bytes(vec![0xFF]).unwrap();
    assert_eq!(refusal(&order, &rules), "mark_unreadable");
}

#[test]
fn the_phone_gets_the_receipt_where_the_mail_address_cannot() {
    for email in [None, Some("нет"), Some("a@b"), Some("a b@example.com"), Some("a@b.ru, c@d.ru")]
    {
        let mut order = order();
        order.buyer.email = email.map(str::to_owned);
        let Contact::Phone(phone) = receipt(&order, &rules()).contact else {
            panic!("{email:?} is no address")
        };
        assert_eq!(phone.to_string(), "+79001234567");
        order.buyer.phone = Some("123".into());
        assert_eq!(refusal(&order, &rules()), "contact_missing");
    }
}

/// Every mistake, each by one change to an order that gives a receipt.
#[test]
fn whatever_is_open_or_wrong_gives_no_receipt() {
    type Change = fn(&mut Order);
    let cases: [(Change, &str); 21] = [
        (|o| o.payments.clear(), "payment_missing"),
        (|o| o.payments[0].sum = rub("0.00"), "overpaid"),
        (|o| o.payments[0].sum = rub("1481.01"), "overpaid"),
        (|o| o.payments[0].system = None, "pay_system_missing"),
        (|o| o.payments[0].system = Some(9), "pay_system_unknown"),
        (|o| o.price = Money::ZERO, "price_not_positive"),
        (|o| o.price = rub("-1.00"), "price_not_positive"),
        (|o| *o = priced(o.clone(), "1481.01"), "sum_mismatch"),
        (|o| o.lines[0].name = " 😀 ".into(), "line_name_empty"),
        (|o| o.lines[0].price = Money::ZERO, "line_price_not_positive"),
        (|o| o.lines[0].price = rub("-590.50"), "line_price_not_positive"),
        (|o| o.lines[0].quantity = qty("0"), "line_quantity_zero"),
        (|o| o.lines[0].vat = Vat::C22, "line_vat_calculated"),
        (|o| o.lines[0].vat = Vat::V20, "vat_not_in_force"),
        (|o| o.lines[0].unit = Some("778".into()), "unit_unknown"),
        (|o| o.lines[0].unit = None, "unit_missing"),
        (|o| o.lines[0].price = Money::from_kopecks(i64::MAX), "sum_too_large"),
        (|o| o.delivery.as_mut().unwrap().price = rub("-1.00"), "delivery_price_negative"),
        (|o| o.delivery.as_mut().unwrap().vat = None, "delivery_vat_unknown"),
        (|o| o.delivery.as_mut().unwrap().vat = Some(Vat::C20), "delivery_vat_calculated"),
        (|o| o.delivery.as_mut().unwrap().vat = Some(Vat::V20), "delivery_vat_not_in_force"),
    ];
    for (change, code) in cases {
        let mut order = order();
        change(&mut order);
        let refused = sale(&order, 55, &rules()).unwrap_err();
        assert_eq!(refused.code(), code);
        let text = refused.text(&fiscal::subject::Subject::order(&order.key));
        assert!(text.ru.contains("заказу № A-1001") && text.ru.ends_with('.'), "{}", text.ru);
        assert!(text.en.contains("order A-1001") && text.en.ends_with('.'), "{}", text.en);
        assert!(!text.ru.contains("  ") && !text.en.contains("  "), "{text:?}");
    }
}

#[test]
fn settings_answer_what_the_shop_leaves_open() {
    let mut order = order();
    order.lines[0].unit = None;
    order.delivery.as_mut().unwrap().vat = None;
    let set = rules_with("unit = 255\ndelivery_vat = 'vat10'");
    let receipt = receipt(&order, &set);
    assert_eq!(receipt.positions[0].measure.code(), 255);
    assert_eq!(receipt.positions[1].vat, Vat::V10);
    order.lines[0].unit = Some("778".into());
    let set = rules_with("delivery_vat = 'vat10'\nunits = { 778 = 0 }");
    assert_eq!(sale(&order, 55, &set).unwrap().positions[0].measure.code(), 0);
}

#[test]
fn free_delivery_is_no_position_and_a_nameless_one_is_named() {
    let mut free = priced(order(), "1181.00");
    free.delivery.as_mut().unwrap().price = Money::ZERO;
    assert_eq!(sums(&receipt(&free, &rules())), ["590.50 x 2 = 1181.00"]);
    let mut nameless = order();
    nameless.delivery.as_mut().unwrap().name = " ".into();
    assert_eq!(receipt(&nameless, &rules()).positions[1].name.as_str(), "Доставка");
}

#[test]
fn a_hundred_positions_fit_and_no_more() {
    let mut order = order();
    order.delivery = None;
    order.lines = vec![order.lines[0].clone(); 100];
    assert_eq!(receipt(&priced(order.clone(), "118100.00"), &rules()).positions.len(), 100);
    order.lines.push(order.lines[0].clone());
    assert_eq!(refusal(&priced(order, "119281.00"), &rules()), "too_many_positions");
}

#[test]
fn rules_that_contradict_themselves_are_refused() {
    assert_eq!(rules().check(), Ok(()));
    for (more, message) in [
        ("place = ' '", "place must have 1 to 256 characters"),
        ("payments = {}", "payments names no pay system, neither under electronic nor under cash"),
        (
            "payments = { electronic = [1], cash = [1] }",
            "pay system 1 stands under electronic and under cash",
        ),
        (
            "settlement = 'prepayment'",
            "closes_on must say when the goods are handed over: shipped or completed",
        ),
        ("seller_email = 'x'", "seller_email must be an e-mail address"),
        (
            "payments = { electronic = [1], points = [1] }",
            "pay system 1 stands under electronic and under points",
        ),
        ("delivery_vat = 'vat122'", "delivery_vat must be a plain rate such as vat22, not vat122"),
    ] {
        assert_eq!(rules_with(more).check().unwrap_err().to_string(), message);
    }
}

proptest! {
    #[test]
    fn totals_add_up_whatever_the_order(
        lines in prop::collection::vec((1_i64..5_000_000, 1_u64..40, 0_u32..=3), 1..12),
        off in 0_u32..=100,
        prepaid in any::<bool>(),
    ) {
        let mut order = order();
        order.lines.clear();
        for (price, mantissa, scale) in lines {
            let quantity = format!("{mantissa}E-{scale}");
            order.lines.push(crate::order::order().lines[0].clone());
            let line = order.lines.last_mut().unwrap();
            line.price = Money::from_kopecks(price);
            line.quantity = qty(&quantity);
        }
        let whole: i64 = order.lines.iter()
            .map(|line| line.price.times(line.quantity).unwrap().kopecks()).sum::<i64>() + 30_000;
        order.price = Money::from_kopecks((whole - whole * i64::from(off) / 101).max(1));
        order.payments[0].sum = order.price;
        let settlement = if prepaid { "full_prepayment" } else { "full_payment" };
        let rules = rules_with(&format!("settlement = '{settlement}'"));
        let receipt = sale(&order, 55, &rules).unwrap();
        prop_assert_eq!(receipt.total, order.price);
        prop_assert_eq!(Money::sum(receipt.positions.iter().map(|p| p.sum)), Some(order.price));
        for position in &receipt.positions {
            prop_assert_eq!(position.price.times(position.quantity), Some(position.sum));
            prop_assert!(!position.sum.is_negative());
        }
    }
}
