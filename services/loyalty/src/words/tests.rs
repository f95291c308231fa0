//! Everything that this service says when it gives up.

use runtime::testing::Said;

use super::*;
use crate::onec::Error;

#[test]
fn each_reason_is_a_sentence_that_names_the_order_and_what_to_do() {
    let order = &Said::order();
    let onec = [
        Error::NotSent,
        Error::NoAnswer("x".to_owned()),
        Error::Refused("x".to_owned()),
        Error::TooEarly,
        Error::Unauthorized,
        Error::UnknownCustomer,
        Error::NoPhone,
    ];
    Said::default()
        .failures([
            points_invalid(order, "POINTS"),
            buyer_unknown(order),
            sums_wrong(order),
            return_unclear(order),
            refused(order, "x"),
            fact_unexpected(&Said::event()),
            store_away(order),
        ])
        .failures(onec.map(|error| error.failure(order)))
        .reasons([
            points_insufficient(order, 100),
            points_changed(order, 200, 100),
            onec_away(order),
            phone_missing(order),
        ])
        .covers(
            &[include_str!("../words.rs")],
            // Of statuses.
            &[
                "points_held",
                "points_spent",
                "points_earned",
                "points_released",
                "points_taken_back",
                "points_returned",
                "points_wait",
            ],
        )
        .hold(env!("CARGO_MANIFEST_DIR"));
}
