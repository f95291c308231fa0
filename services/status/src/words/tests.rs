//! Everything that this service says when it gives up.

use std::time::Duration;

use bitrix::{
    rest::{RestError, RestErrorKind as Kind},
    site::SiteError,
};
use runtime::testing::{ORDER, Said};
use time::OffsetDateTime;
use uuid::Uuid;

use super::*;

fn portal() -> Vec<RestError> {
    let code = || "x".to_owned();
    let kinds = [
        Kind::Busy { after: Duration::ZERO },
        Kind::QueryLimit,
        Kind::OperationTimeLimit { until: OffsetDateTime::UNIX_EPOCH },
        Kind::Overload,
        Kind::Unauthorized { code: code() },
        Kind::Forbidden { code: code() },
        Kind::NoSuchOrder,
        Kind::NotFound { code: code() },
        Kind::Invalid { code: code(), description: code() },
        Kind::ServerError { status: 500, code: code() },
        Kind::NotSent(code()),
        Kind::NoAnswer(code()),
        Kind::Garbled { status: 200 },
        Kind::Limiter(code()),
    ];
    kinds.into_iter().map(|kind| RestError { method: "x", kind }).collect()
}

fn site() -> Vec<SiteError> {
    vec![
        SiteError::Signature(401),
        SiteError::NoModule(404),
        SiteError::Refused { status: 400, words: "x".to_owned() },
        SiteError::Failed { status: 500, after: None },
        SiteError::Busy,
        SiteError::NotSent("x".to_owned()),
        SiteError::NoAnswer("x".to_owned()),
    ]
}

/// A receipt that names itself by its document instead of an order.
fn check() -> CheckIssued {
    CheckIssued {
        shop: "main".parse().unwrap(),
        check: Uuid::nil(),
        issued_at: OffsetDateTime::UNIX_EPOCH,
        registration: None,
        sign: "1".to_owned(),
        document: ORDER.to_owned(),
        number: None,
        drive: "1".to_owned(),
        shift: None,
    }
}

#[test]
fn each_reason_is_a_sentence_that_names_the_order_and_what_to_do() {
    let order = &Said::order();
    let broken = serde_json::from_str::<u8>("x").unwrap_err();
    let own = [no_shop(order), store(&sqlx::Error::PoolTimedOut), json(&broken), unknown_part("x")];
    let own = own.into_iter().chain(portal().into_iter().map(Failure::from));
    let own = own.chain(site().into_iter().map(Failure::from));
    Said::default()
        .failures(own.map(|failure| about(order, failure)))
        .failures(portal().into_iter().map(|error| about_check(&check(), error.into())))
        .failures([no_status(&Said::event())])
        .naming(&[
            "shops",
            "main",
            "site",
            "portal",
            "webhook_url",
            "writeback_url",
            "writeback_secret",
            "sale",
            "crm",
        ])
        .covers(&[include_str!("../words.rs")], &[])
        .hold(env!("CARGO_MANIFEST_DIR"));
}
