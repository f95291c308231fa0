//! Everything that this service says when it gives up.

use std::time::Duration;

use runtime::{
    Failure,
    testing::{ORDER, Said},
};
use signing::SignError;

use super::*;
use crate::{
    diadoc::{Error, What},
    plan::fault,
};

fn calls() -> Vec<Failure> {
    let what = [
        What::Busy { after: Duration::ZERO },
        What::NotSent("x".to_owned()),
        What::NoAnswer("x".to_owned()),
        What::RateLimited { after: None },
        What::SignIn(Box::new(What::Unauthorized)),
        What::Unauthorized,
        What::Unpaid,
        What::Forbidden("x".to_owned()),
        What::NotFound("x".to_owned()),
        What::Conflict("x".to_owned()),
        What::Rejected { status: 400, message: "x".to_owned() },
        What::Unavailable { status: 500, after: None },
        What::StillRunning { after: None },
        What::Garbled("x".to_owned()),
        What::Store("x".to_owned()),
        What::Signing(SignError::Busy),
    ];
    what.into_iter().map(|what| Error::from(what).of(ORDER).into()).collect()
}

/// What the buyer or Diadoc decides, with and without words of theirs.
fn decisions(order: &OrderRef) -> Vec<Reason> {
    let all = [
        (
            State::Rejected,
            "upd_rejected",
            "покупатель отказал в подписи",
            "the buyer refuses to sign",
        ),
        (State::Revoked, "upd_revoked", "документ аннулирован", "the document is revoked"),
        (
            State::ToCorrect,
            "correction_asked",
            "покупатель просит уточнить документ",
            "the buyer wants a correction",
        ),
    ];
    let said = [Some("Не тот договор"), None];
    all.into_iter()
        .map(|(state, code, ru, en)| Decision { state, code, ru, en })
        .flat_map(|one| said.map(|said| decided(order, &one, said)))
        .collect()
}

#[test]
fn each_reason_is_a_sentence_that_names_the_order_and_what_to_do() {
    let order = &Said::order();
    let (none, all) = (fault::all(), fault::all());
    Said::default()
        .failures(none.into_iter().map(|one| faults(order, &[one])))
        .failures([
            faults(order, &all),
            not_by_format(order, &["x".to_owned()]),
            shop_unknown(order),
            fact_unexpected(&Said::event()),
            buyer_missing(order, "7700000000", None),
            buyer_ambiguous(order, "7700000000", 2),
            not_partner(order, "Ромашка", "отклонил приглашение в Диадоке", "has declined"),
            cannot_post(order, &["Ящик закрыт".to_owned()]),
            cloud_failed(order, "Error"),
            store_away(order, &sqlx::Error::PoolTimedOut),
        ])
        .failures(calls())
        .reasons(decisions(order))
        .reasons([
            outcome_unknown(order, "A-1042/2"),
            returned_before(order),
            roaming_failed(order),
            same_again(order),
            correct_by_hand(order, "A-1042/2"),
        ])
        .naming(&["main", "refresh", "format", "file_id", "alcohol", "delivery", "vat"])
        .covers(
            &[
                include_str!("../words.rs"),
                include_str!("../diadoc/error.rs"),
                include_str!("../plan/fault.rs"),
            ],
            // Of a line of the format, and of signing, which has words of its own.
            &["order_wrong", "rate_not_in_format", "diadoc_signing"],
        )
        .hold(env!("CARGO_MANIFEST_DIR"));
}
