//! Everything that this service says when it gives up.

use std::time::Duration;

use bitrix::{
    order::{Place, Problem},
    rest::RestErrorKind as Kind,
};
use events::Money;
use runtime::testing::{ORDER, Said};
use time::OffsetDateTime;

use super::*;
use crate::diff::tests::order;

/// The id of the order [`ORDER`] in Bitrix.
const ID: u64 = 1042;

fn problems() -> Vec<Problem> {
    vec![
        Problem::Missing,
        Problem::NotANumber,
        Problem::Negative,
        Problem::TooPrecise,
        Problem::TooLarge,
        Problem::NotAFlag,
        Problem::NotATime,
        Problem::VatUnknown("18".to_owned()),
        Problem::VatExcluded,
        Problem::VatDiffers,
        Problem::Currency("USD".to_owned()),
        Problem::Sum { price: Money::from_kopecks(2), parts: Money::from_kopecks(1) },
        Problem::Mark,
        Problem::MarkedSetPart,
        Problem::Repeated,
        Problem::NoSuchLine,
        Problem::Schema,
        Problem::NotJson { line: 1, column: 2 },
        Problem::TooDeep,
        Problem::TooLong,
    ]
}

fn places() -> Vec<Place> {
    vec![
        Place::Order,
        Place::Line(Some(7), "Вино".to_owned()),
        Place::Payment(Some(8)),
        Place::Shipment(None),
    ]
}

/// Every problem with the order itself, then one problem at every place.
fn broken_orders() -> Vec<OrderError> {
    let error = |place, problem| {
        let whole = matches!(
            problem,
            Problem::Schema | Problem::NotJson { .. } | Problem::TooDeep | Problem::TooLong
        );
        let field = if whole { "" } else { "PRICE" };
        OrderError { order: Some(ORDER.to_owned()), place, field, problem }
    };
    let itself = problems().into_iter().map(|problem| error(Place::Order, problem));
    itself.chain(places().into_iter().map(|place| error(place, Problem::Missing))).collect()
}

fn portal_errors() -> Vec<RestError> {
    let code = || "x".to_owned();
    let kinds = [
        Kind::Busy { after: Duration::ZERO },
        Kind::OperationTimeLimit { until: OffsetDateTime::UNIX_EPOCH },
        Kind::Overload,
        Kind::Unauthorized { code: code() },
        Kind::Forbidden { code: code() },
        Kind::NoSuchOrder,
        Kind::NotFound { code: code() },
        Kind::Invalid { code: code(), description: code() },
        Kind::ServerError { status: 500, code: code() },
        Kind::Limiter(code()),
    ];
    kinds.into_iter().map(|kind| RestError { method: "x", kind }).collect()
}

/// What names the order by its id in Bitrix, as its number stands in what was not read, or names no order.
const NO_NUMBER: [&str; 13] = [
    "bitrix_rate_limit",
    "bitrix_operation_limit",
    "bitrix_blocked",
    "bitrix_webhook_revoked",
    "bitrix_no_right",
    "bitrix_no_order",
    "bitrix_not_found",
    "bitrix_refused",
    "bitrix_unavailable",
    "limiter_unavailable",
    "database_unavailable",
    "not_a_webhook",
    "shop_unknown",
];

#[test]
fn each_reason_is_a_sentence_that_says_what_to_do() {
    let orders = portal_errors().into_iter().map(|error| portal(error, Asked::Order, ID));
    let parts = portal_errors().into_iter().map(|error| portal(error, Asked::Part, ID));
    let portals: Vec<Failure> = orders.chain(parts).collect();
    assert!(portals.iter().all(|failure| failure.reason().text.ru.contains(" с ID 1042. ")));
    let mut order = order();
    ORDER.clone_into(&mut order.key.number);
    Said::default()
        .failures(broken_orders().iter().map(broken))
        .failures([
            unknown_status(&order),
            unknown_shop(&order.key.shop),
            not_a_webhook(),
            database(sqlx::Error::PoolTimedOut),
        ])
        .failures(portals)
        .without_order(&NO_NUMBER)
        .naming(&[
            "shops",
            "demo",
            "statuses",
            "bitrix",
            "order",
            "portal",
            "webhook_url",
            "sale",
            "crm",
        ])
        .covers(&[include_str!("../words.rs")], &[])
        .hold(env!("CARGO_MANIFEST_DIR"));
}
