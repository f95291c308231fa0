//! Everything that this service says when it gives up.

use runtime::{Failure, Reason, testing::Said};
use rust_decimal::Decimal;

use super::*;
use crate::{
    mark::MarkError,
    utm::{Error, What},
};

fn faults(order: &OrderRef) -> Vec<Failure> {
    let name = || "Вино красное".to_owned();
    let all = [
        Fault::Group(name(), "вино".to_owned()),
        Fault::Mark(name(), MarkError::Layout),
        Fault::Mark(name(), MarkError::Form(7)),
        Fault::NotWhole(name()),
        Fault::Missing(name(), Decimal::ONE),
        Fault::Unexpected(name()),
        Fault::AlcCode(name()),
        Fault::OtherProduct(name()),
        Fault::Unit(name(), "778".to_owned()),
        Fault::FormB(name(), 2),
        Fault::Product(name()),
        Fault::Receipt("RECEIPT".to_owned()),
        Fault::SameReceipt("RECEIPT".to_owned()),
        Fault::Waybill("WAYBILL".to_owned()),
        Fault::MoreThanWaybill("TTN-1".to_owned()),
        Fault::WaybillShared("TTN-1".to_owned(), "A-1041".to_owned()),
        Fault::WaybillUnclear("TTN-1".to_owned()),
        Fault::NoShipment,
    ];
    all.iter().map(|one| fault(order, one)).collect()
}

fn breaches(order: &OrderRef) -> Vec<Failure> {
    let all = [
        Breach::Mismatch,
        Breach::Empty,
        Breach::Identity(String::new()),
        Breach::Quantity,
        Breach::Marks { marks: 1, quantity: Decimal::TWO },
        Breach::Twice("…7".to_owned()),
        Breach::Form("…7".to_owned()),
        Breach::Sum,
        Breach::Price,
        Breach::NoFormB("Вино красное".to_owned()),
        Breach::NoFormA("Вино красное".to_owned()),
        Breach::NoProduct("Вино красное".to_owned()),
        Breach::NoEan("Вино красное".to_owned()),
    ];
    all.iter().map(|one| breach(order, Kind::ActWriteOffV4, one)).collect()
}

fn calls(order: &OrderRef) -> Vec<Reason> {
    let all = [What::NotSent("x".to_owned()), What::Key, What::Stranger("x".to_owned())];
    let failed = |what| Error { utm: "Тверская".to_owned(), what }.reason(&order.number);
    all.into_iter().map(failed).collect()
}

fn paper() -> Paper {
    Paper {
        identity: "A-1042-1".to_owned(),
        part: "1".to_owned(),
        utm: "Тверская".to_owned(),
        kind: Kind::ActWriteOffV4,
        body: String::new(),
        goods: Vec::new(),
        guarded: true,
        resent: false,
        asked: false,
        cleared: false,
        away: false,
        doubts: 0,
        first_at: None,
        told: 0,
        stage: Stage::Ready { refused: 0, after: None },
    }
}

#[test]
fn each_reason_is_a_sentence_that_names_the_order_and_what_to_do() {
    let (order, paper) = (&Said::order(), &paper());
    let other = Used { mark: "…7".to_owned(), order: "A-1041".to_owned() };
    Said::default()
        .failures([
            fact_unexpected(&Said::event()),
            store_away(order, &sqlx::Error::PoolTimedOut),
            invalid(order, Kind::ActWriteOffV4, "x"),
            not_whole_act(order),
            utm_gone(order, "Тверская"),
            act_without_number(order, "A-1042-1"),
        ])
        .failures(faults(order))
        .failures(breaches(order))
        .reasons(calls(order))
        .reasons([
            used(order, &other),
            sale_open(order),
            return_open(order),
            waybill_missing(order, "TTN-1"),
            not_sold(order),
            which(order),
            by_hand(order),
            unknown(order, paper),
            refused_twice(order, paper, "Марка уже списана."),
            refused(order, &[(refusal(paper, "Марка уже списана."), false)]),
            refused(order, &[(refusal(paper, "Неверный формат."), true)]),
            refused(
                order,
                &[
                    (refusal(paper, "Марка уже списана"), false),
                    (refusal(paper, "Неверный формат."), true),
                ],
            ),
        ])
        .naming(&["fsrar_id"])
        .covers(
            &[include_str!("../words.rs"), include_str!("../utm/error.rs")],
            &["egais_written_off", "egais_returned"],
        )
        .hold(env!("CARGO_MANIFEST_DIR"));
}
