//! What goes back: by payments and by goods, in parts, and never more than was sold.

use events::{MarkCode, Money, PaymentState};
use fiscal::receipt::{MoneyKind, Rules};
use proptest::prelude::*;

use crate::{
    order::{order, priced, qty, rub, rules, rules_with, with_line},
    till::{Till, in_two, planned, to_ship},
};

fn by_goods() -> Rules {
    rules_with("refunds_on = 'returned'")
}

fn prepaid() -> Rules {
    rules_with("settlement = 'prepayment'\ncloses_on = 'shipped'")
}

#[test]
fn a_returned_payment_gives_back_the_whole_sale() {
    let mut till = Till::new(order(), rules());
    till.pay(55).unwrap();
    assert_eq!(
        planned(&till.unpay(55)),
        "refund Electronic 1481.00 | 590.50 x 2 = 1181.00 vat22 FullPayment Commodity \
         | 300.00 x 1 = 300.00 vat22 FullPayment Service"
    );
}

#[test]
fn a_returned_prepayment_goes_back_as_it_came() {
    let mut till = Till::new(in_two(to_ship(), (2, "481.00"), (5, "1000.00")), prepaid());
    till.pay(55).unwrap();
    till.pay(56).unwrap();
    assert_eq!(
        planned(&till.unpay(55)),
        "refund Electronic 481.00 | 383.57 x 1 = 383.57 vat122 Prepayment Payment \
         | 97.43 x 1 = 97.43 vat122 Prepayment Payment"
    );
    till.unpay(56).unwrap();
    assert_eq!(till.book().had.total(), Some(Money::ZERO));
}

/// A ledger may say so where an entry was planned anew before entries kept their order.
#[test]
fn a_prepayment_that_did_not_come_in_as_money_is_not_paid_back() {
    let order = priced(order(), "800.00");
    let mut till = Till::new(in_two(order, (2, "300.00"), (2, "500.00")), rules());
    till.pay(55).unwrap();
    till.pay(56).unwrap();
    till.entries.swap(0, 1);
    till.order.payments[0].state = PaymentState::Returned;
    assert!(planned(&till.unpay(56)).starts_with("refund Electronic 800.00 |"));
    assert_eq!(planned(&till.unpay(55)), "refused refund_above_payment");
}

/// The vector's last warning: after the closing receipt money goes back as money.
#[test]
fn a_closed_prepayment_goes_back_as_money_and_not_as_an_offset() {
    let mut till = Till::new(in_two(to_ship(), (2, "481.00"), (5, "1000.00")), prepaid());
    till.pay(55).unwrap();
    till.pay(56).unwrap();
    till.ship(9).unwrap();
    // Both payments are returned in one go: two facts, one refund of all.
    till.order.payments[1].state = PaymentState::Returned;
    assert!(planned(&till.unpay(55)).starts_with("refund Electronic 481.00 Cash 1000.00 |"));
    assert_eq!(planned(&till.unpay(56)), "nothing");
}

#[test]
fn goods_that_come_back_are_paid_back_line_by_line() {
    let order = priced(with_line(order(), "Ложка", "33.33", "3"), "1580.99");
    let mut till = Till::new(order, by_goods());
    till.pay(55).unwrap();
    let plans = [
        till.give_back(&[(7, "1")]),
        till.give_back(&[(8, "2"), (7, "1")]),
        till.give_back(&[(8, "2")]),
        till.give_back(&[(8, "1")]),
        till.give_back(&[(8, "1")]),
    ];
    let plans: Vec<String> = plans.iter().map(planned).collect();
    assert_eq!(
        plans,
        [
            "refund Electronic 590.50 | 590.50 x 1 = 590.50 vat22 FullPayment Commodity",
            "refund Electronic 657.16 | 590.50 x 1 = 590.50 vat22 FullPayment Commodity \
             | 33.33 x 2 = 66.66 vat10 FullPayment Commodity",
            "refused refund_above_sale",
            "refund Electronic 33.33 | 33.33 x 1 = 33.33 vat10 FullPayment Commodity",
            "refused refund_above_sale",
        ]
    );
    assert_eq!(till.book().had.get(MoneyKind::Electronic), rub("300.00"), "the delivery stays");
}

#[test]
fn money_that_goes_back_for_returned_goods_is_refunded_once() {
    // By goods: the payment's own return waits for the goods, or finds them refunded.
    let mut till = Till::new(order(), by_goods());
    till.pay(55).unwrap();
    assert_eq!(planned(&till.unpay(55)), "wait");
    till.order.payments[0].state = PaymentState::Paid;
    // By money: the goods' return is remembered, and names the lines when the money goes.
    let order = in_two(order(), (2, "590.50"), (2, "890.50"));
    let mut till = Till::new(order, rules());
    till.pay(55).unwrap();
    till.pay(56).unwrap();
    assert_eq!(planned(&till.unpay(55)), "refused refund_lines_unknown");
    assert_eq!(planned(&till.give_back(&[(7, "1")])), "note");
    assert_eq!(
        planned(&till.unpay(55)),
        "refund Electronic 590.50 | 590.50 x 1 = 590.50 vat22 FullPayment Commodity"
    );
}

#[test]
fn a_weighed_line_given_back_in_parts_makes_the_whole() {
    let mut order = priced(order(), "671.33");
    order.delivery = None;
    (order.lines[0].price, order.lines[0].quantity) = (rub("899.90"), qty("0.746"));
    let mut till = Till::new(order, by_goods());
    till.pay(55).unwrap();
    for part in ["0.3", "0.146", "0.299", "0.001"] {
        till.give_back(&[(7, part)]).unwrap();
    }
    assert!(till.book().sale.is_none(), "all of it is back");
    assert_eq!(till.book().had.total(), Some(Money::ZERO));
}

#[test]
fn the_codes_of_returned_pieces_are_those_that_the_order_has_lost() {
    let code = |text: &str| MarkCode::from_text(text).unwrap();
    let mut order = order();
    order.lines[0].marked = true;
    order.lines[0].marks = vec![code("0104600\u{1d}91"), code("0104601\u{1d}91")];
    let mut till = Till::new(order, by_goods());
    till.pay(55).unwrap();
    assert_eq!(planned(&till.give_back(&[(7, "1")])), "refused refund_codes_unknown");
    till.order.lines[0].marks.remove(0);
    till.give_back(&[(7, "1")]).unwrap();
    let refund = till.entries.last().unwrap().deed.receipt().unwrap();
    assert_eq!(refund.positions[0].mark, Some(code("0104600\u{1d}91")));
    // The rest is one piece: no doubt about its code.
    till.give_back(&[(7, "1")]).unwrap();
    let refund = till.entries.last().unwrap().deed.receipt().unwrap();
    assert_eq!(refund.positions[0].mark, Some(code("0104601\u{1d}91")));
}

#[test]
fn more_lost_codes_than_returned_pieces_are_for_a_person() {
    let code = |text: &str| MarkCode::from_text(text).unwrap();
    let mut order = priced(order(), "2071.50");
    order.lines[0].marked = true;
    order.lines[0].quantity = qty("3");
    order.lines[0].marks = ["0104600", "0104601", "0104602"].map(code).to_vec();
    let mut till = Till::new(order, by_goods());
    till.pay(55).unwrap();
    till.order.lines[0].marks.truncate(1);
    assert_eq!(planned(&till.give_back(&[(7, "1")])), "refused refund_codes_unknown");
    till.give_back(&[(7, "2")]).unwrap();
    let refund = till.entries.last().unwrap().deed.receipt().unwrap();
    let marks: Vec<_> = refund.positions.iter().filter_map(|p| p.mark.clone()).collect();
    assert_eq!(marks, [code("0104601"), code("0104602")]);
}

#[test]
fn a_refund_of_goods_that_a_document_withdrew_has_no_code_either() {
    let mut order = order();
    order.lines[0].marked = true;
    order.lines[0].marks = vec![MarkCode::from_text("0104600\u{1d}91").unwrap()];
    order.marks_by = events::MarksBy::Document;
    let mut till = Till::new(order, by_goods());
    till.pay(55).unwrap();
    till.give_back(&[(7, "1")]).unwrap();
    let refund = till.entries.last().unwrap().deed.receipt().unwrap();
    assert!(refund.positions.iter().all(|position| position.mark.is_none()));
}

#[test]
fn paid_unpaid_and_paid_again_never_makes_two_receipts_of_sale_in_a_row() {
    // The second payment is told before the refund is there: it waits.
    let mut till = Till::new(order(), rules());
    till.pay(55).unwrap();
    assert_eq!(planned(&till.pay(55)), "wait");
    till.unpay(55).unwrap();
    till.pay(55).unwrap();
    let kinds: Vec<String> =
        till.receipts().iter().map(|r| r.split(' ').next().unwrap().to_owned()).collect();
    assert_eq!(kinds, ["sell", "refund", "sell"]);
    // Where goods decide about refunds, nothing moved: no receipt at all.
    let mut till = Till::new(order(), by_goods());
    till.pay(55).unwrap();
    let unpaid = till.unpay(55);
    assert_eq!(planned(&unpaid), "wait");
    assert_eq!(planned(&till.pay(55)), "note");
    assert_eq!(till.receipts().len(), 1);
    // The goods are with the buyer, so money that comes anew closes at once.
    let mut till = Till::new(to_ship(), prepaid());
    till.pay(55).unwrap();
    till.ship(9).unwrap();
    till.unpay(55).unwrap();
    assert!(
        planned(&till.pay(55))
            .starts_with("sell Electronic 1481.00 | 590.50 x 2 = 1181.00 vat22 FullPayment")
    );
}

#[test]
fn refunds_that_come_too_early_wait_and_returns_before_the_hand_over_stop() {
    let mut till = Till::new(to_ship(), prepaid());
    assert_eq!(planned(&till.unpay(55)), "wait", "there is no receipt of the payment yet");
    assert_eq!(planned(&till.give_back(&[(7, "2")])), "wait", "nothing has left yet");
    let completed = rules_with("settlement = 'prepayment'\ncloses_on = 'completed'");
    let mut till = Till::new(to_ship(), completed);
    till.pay(55).unwrap();
    assert_eq!(planned(&till.give_back(&[(7, "1")])), "note");
    assert_eq!(planned(&till.complete()), "refused returned_before_hand_over");
    assert_eq!(planned(&till.ship(9)), "note", "and leave again");
    assert!(planned(&till.complete()).starts_with("sell Prepaid"));
}

/// Prices in kopecks, and quantities as mantissa and scale.
type Lines = Vec<(i64, u64, u32)>;

/// An order of several lines, a discount, and what is given back of them, step by step.
fn cases() -> impl Strategy<Value = (Lines, u32, Vec<(usize, u32)>)> {
    (
        prop::collection::vec((1_i64..500_000, 1_u64..3_000, 0_u32..=3), 1..6),
        0_u32..90,
        prop::collection::vec((0_usize..6, 1_u32..=100), 0..12),
    )
}

proptest! {
    #[test]
    fn refunds_stay_within_the_sale_whatever_comes_back((lines, off, back) in cases()) {
        let mut order = order();
        let template = order.lines.remove(0);
        for (id, (price, mantissa, scale)) in (7..).zip(&lines) {
            let mut line = template.clone();
            (line.id, line.price) = (id, Money::from_kopecks(*price));
            line.quantity = qty(&format!("{mantissa}E-{scale}"));
            order.lines.push(line);
        }
        let whole: i64 = order.lines.iter()
            .map(|line| line.price.times(line.quantity).unwrap().kopecks()).sum::<i64>() + 30_000;
        let price = Money::from_kopecks((whole - whole * i64::from(off) / 100).max(1));
        let order = priced(order, &price.to_string());
        let mut till = Till::new(order, by_goods());
        till.pay(55).unwrap();
        let sold = till.entries[0].deed.receipt().unwrap().clone();
        prop_assert_eq!(sold.total, price);
        for (place, percent) in back {
            let Some(line) = till.order.lines.get(place) else { continue };
            let (id, all) = (line.id, line.quantity.value());
            let part = (all * events_decimal(percent)).round_dp(6).normalize().to_string();
            if part == "0" { continue }
            till.give_back(&[(id, part.as_str())]).ok();
        }
        let mut back = Money::ZERO;
        for entry in &till.entries[1..] {
            let Some(refund) = entry.deed.receipt() else { continue };
            prop_assert_eq!(Money::sum(refund.positions.iter().map(|p| p.sum)), Some(refund.total));
            prop_assert_eq!(refund.amounts.total(), Some(refund.total));
            back = back.checked_add(refund.total).unwrap();
            for position in &refund.positions {
                prop_assert_eq!(position.price.times(position.quantity), Some(position.sum));
                let fits = sold.positions.iter().any(|p| p.source == position.source
                    && p.vat == position.vat && p.object == position.object
                    && p.settlement == position.settlement && p.mark == position.mark);
                prop_assert!(fits, "{position:?} was not sold");
            }
        }
        prop_assert!(back <= sold.total, "{back} of {}", sold.total);
        for line in &till.order.lines {
            let given: Money = till.entries[1..].iter().filter_map(|e| e.deed.receipt())
                .flat_map(|r| &r.positions)
                .filter(|p| p.source == fiscal::receipt::Source::Line(line.id))
                .map(|p| p.sum).fold(Money::ZERO, |a, b| a.checked_add(b).unwrap());
            let cost: Money = sold.positions.iter()
                .filter(|p| p.source == fiscal::receipt::Source::Line(line.id))
                .map(|p| p.sum).fold(Money::ZERO, |a, b| a.checked_add(b).unwrap());
            prop_assert!(given <= cost, "line {}: {given} of {cost}", line.id);
        }
        // What is left can always be given back, and then nothing is.
        if till.book().sale.is_some() {
            till.rules = rules();
            till.unpay(55).unwrap();
        }
        prop_assert!(till.book().sale.is_none());
        prop_assert_eq!(till.book().had.total(), Some(Money::ZERO));
    }

    #[test]
    fn prepayments_in_any_parts_close_to_the_price(
        parts in prop::collection::vec(1_i64..200_000, 1..6), quantity in 1_u64..50, price in 1_i64..90_000,
    ) {
        let mut order = to_ship();
        order.lines[0].price = Money::from_kopecks(price);
        order.lines[0].quantity = events::Quantity::from_units(quantity);
        let whole = price * i64::try_from(quantity).unwrap() + 30_000;
        let mut sums = Vec::new();
        let mut left = whole;
        for part in parts {
            let part = part.min(left);
            if part > 0 { sums.push(part); }
            left -= part;
        }
        if left > 0 { sums.push(left); }
        let template = order.payments[0].clone();
        order.payments = (100..).zip(&sums).map(|(id, sum)| events::Payment {
            id, sum: Money::from_kopecks(*sum), ..template.clone()
        }).collect();
        order.price = Money::from_kopecks(whole);
        let mut till = Till::new(order, prepaid());
        for (id, sum) in (100..).zip(&sums) {
            till.pay(id).unwrap();
            let receipt = till.entries.last().unwrap().deed.receipt().unwrap();
            prop_assert_eq!(receipt.total.kopecks(), *sum);
            prop_assert!(receipt.positions.iter().all(|p| p.vat.is_calculated()));
        }
        // Each item was prepaid to the kopeck.
        let prepaid = till.book().prepaid_by_item().unwrap();
        let goods = prepaid[&fiscal::receipt::Source::Line(7)];
        prop_assert_eq!(goods.kopecks(), whole - 30_000);
        till.ship(9).unwrap();
        let closing = till.entries.last().unwrap().deed.receipt().unwrap();
        prop_assert_eq!(closing.total.kopecks(), whole);
        prop_assert_eq!(closing.amounts.get(MoneyKind::Prepaid), closing.total);
    }
}

/// So many percent as a decimal.
fn events_decimal(percent: u32) -> rust_decimal::Decimal {
    rust_decimal::Decimal::new(percent.into(), 2)
}
