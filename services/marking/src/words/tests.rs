//! Everything that this service says when it gives up.

use std::time::Duration;

use events::{LabelError, OrderRef};
use runtime::{
    Failure,
    testing::{ORDER, Said},
};
use signing::SignError;

use super::*;
use crate::gismt::{Error, Unsellable, What};

fn calls() -> Vec<Failure> {
    let what = [
        What::Busy { after: Duration::ZERO },
        What::NotSent("x".to_owned()),
        What::NoAnswer("x".to_owned()),
        What::RateLimited { after: None },
        What::SignIn(Box::new(What::Unauthorized)),
        What::Unauthorized,
        What::Forbidden("x".to_owned()),
        What::SignatureRefused("x".to_owned()),
        What::TooLarge,
        What::GeoBlocked,
        What::Rejected { status: 400, message: "x".to_owned() },
        What::Unavailable { status: 500, after: None },
        What::Garbled("x".to_owned()),
        What::NoId("x".to_owned()),
        What::Store("x".to_owned()),
    ];
    let mut all: Vec<Failure> =
        what.into_iter().map(|what| Error::from(what).of(ORDER).into()).collect();
    // Also where signing itself does not say the words.
    all.push(signed(What::SignIn(Box::new(What::Signing(SignError::Busy)))));
    all.extend(signers().into_iter().map(|error| signed(What::Signing(error))));
    all
}

fn signed(what: What) -> Failure {
    Error::from(what).of(ORDER).into()
}

fn signers() -> Vec<SignError> {
    vec![
        SignError::Busy,
        SignError::Missing("x".to_owned()),
        SignError::KeyUnusable("x".to_owned()),
        SignError::Expired(OffsetDateTime::UNIX_EPOCH),
        SignError::TimedOut(Duration::ZERO),
        SignError::Failed("x".to_owned()),
        SignError::Away("x".to_owned()),
        SignError::Unauthorized,
        SignError::Refused(422),
        SignError::Malformed("x"),
    ]
}

/// What the register says of codes, as the flow tells it.
fn whys() -> Vec<(String, String)> {
    let unsellable = [
        Unsellable::NotFound,
        Unsellable::Status("RETIRED".to_owned()),
        Unsellable::Special("WAIT_SHIPMENT".to_owned()),
        Unsellable::Foreign,
        Unsellable::Package("GROUP".to_owned()),
        Unsellable::Group("furs".to_owned()),
    ];
    let all = unsellable.into_iter().map(|why| why.word());
    let own = ["retired:DISTANCE", "not_found", "status:WRITTEN_OFF"];
    let all = all.chain(own.map(str::to_owned));
    (1..).zip(all).map(|(place, why)| (format!("0104…{place}"), why)).collect()
}

fn faults(order: &OrderRef) -> Vec<Failure> {
    let name = || "Сапоги".to_owned();
    let labels = [
        LabelError::Empty,
        LabelError::NotText,
        LabelError::TooLong,
        LabelError::NoGtin,
        LabelError::NoSerial,
        LabelError::SerialTooLong,
        LabelError::UnknownIdentifier("77".to_owned()),
        LabelError::Twice("21".to_owned()),
        LabelError::WrongLength("91".to_owned()),
        LabelError::IllegalCharacter,
        LabelError::Ambiguous,
    ];
    let mut all: Vec<Fault> =
        labels.into_iter().map(|error| Fault::Mark(name(), error.code())).collect();
    all.extend([
        Fault::NotWhole(name()),
        Fault::ProductUnknown(name()),
        Fault::NoShipment,
        Fault::Price(name()),
    ]);
    all.iter().map(|one| fault(order, one)).collect()
}

#[test]
fn each_reason_is_a_sentence_that_names_the_order_and_what_to_do() {
    let order = &Said::order();
    let name = || "Сапоги".to_owned();
    Said::default()
        .failures([
            shop_unknown(order),
            place_missing(order),
            fact_unexpected(&Said::event()),
            unwritable(order, &Refusal::Empty),
            no_return(order, "0104…1", "DISTANCE"),
            store_away(order, &sqlx::Error::PoolTimedOut),
        ])
        .failures(faults(order))
        .failures(calls())
        .reasons([
            not_taken(order, &TakeRefusal::Missing { name: name(), has: 1, needs: 2 }),
            not_taken(order, &TakeRefusal::Ambiguous { name: name() }),
            not_taken(order, &TakeRefusal::Unscanned { name: name() }),
            not_taken(order, &TakeRefusal::OtherChannel),
            codes_refused(order, &whys()),
            codes_foreign(order, &[whys(), whys()].concat()),
            document_refused(order, &["x".to_owned()]),
            outcome_unknown(order, "LK_RECEIPT", "lp"),
            outcome_unknown(order, "LK_RECEIPT_CANCEL", "lp"),
            outcome_unknown(order, "LP_RETURN", "lp"),
            document_lost(order, "D-7", "404"),
            document_lost(order, "D-7", "CANCELLED"),
            document_lost(order, "D-7", "PARSED"),
            which_came_back(order, &name()),
            never_left(order, &name()),
        ])
        .naming(&["main", "fias_id", "signing"])
        .covers(
            &[include_str!("../words.rs"), include_str!("../gismt/error.rs")],
            // Signing has words of its own; the other stands against a code.
            &["gismt_signing", "not_found"],
        )
        .hold(env!("CARGO_MANIFEST_DIR"));
}
