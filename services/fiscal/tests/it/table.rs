//! The retry table of the register: one row for each thing that can go wrong with a call.

use std::time::Duration;

use fiscal::{
    registers::{Error, What},
    subject::Subject,
};
use runtime::{Class, Failure};

use crate::order::order;

const MINUTE: Option<Duration> = Some(Duration::from_secs(60));

/// The verdict on an error: what to do, why, and whether the effect is certain not to have
/// happened.
fn verdict(what: What) -> (&'static str, Class, String, bool) {
    let no_effect = what.had_no_effect();
    let failure = Failure::from(Error {
        subject: Subject::order(&order().key),
        register: "ATOL Online",
        what,
    });
    let verdict = match &failure {
        Failure::Retry(_, None) => "retry",
        Failure::Retry(_, after) => {
            assert_eq!(*after, MINUTE);
            "retry after a minute"
        }
        Failure::Dead(_) => "dead",
        Failure::Later(..) => "later",
        Failure::Down(_) => "down",
    };
    let reason = failure.reason();
    for text in [&reason.text.ru, &reason.text.en] {
        assert!(text.contains("A-1001") && text.ends_with('.'), "{text}");
        assert!(!text.contains("  ") && text.len() > 60, "{text}");
    }
    (verdict, reason.class, reason.code.clone(), no_effect)
}

#[test]
fn every_error_has_its_verdict() {
    let refused = |code| What::Refused { code, message: "слова".into(), passing: false };
    let unavailable = |after| What::Unavailable { status: 503, after };
    let cases = [
        (What::Busy, "retry", Class::Unavailable, "register_busy", true),
        (What::NotSent("x".into()), "down", Class::Unavailable, "register_away", true),
        (What::NoAnswer("x".into()), "retry", Class::Unavailable, "no_answer", false),
        (
            What::RateLimited { after: MINUTE },
            "retry after a minute",
            Class::Unavailable,
            "register_busy",
            true,
        ),
        (What::RateLimited { after: None }, "retry", Class::Unavailable, "register_busy", true),
        (What::Unauthorized, "retry", Class::Unavailable, "register_unauthorized", true),
        (
            unavailable(MINUTE),
            "retry after a minute",
            Class::Unavailable,
            "register_failing",
            false,
        ),
        (unavailable(None), "retry", Class::Unavailable, "register_failing", false),
        (What::Rejected { status: 400 }, "dead", Class::Refused, "request_rejected", true),
        (What::Garbled("x".into()), "retry", Class::Unavailable, "answer_garbled", false),
        (What::NotFound, "retry", Class::Unavailable, "receipt_not_found", true),
        (refused(0), "dead", Class::Refused, "receipt_refused", true),
    ];
    for (what, action, class, code, no_effect) in cases {
        let shown = what.clone();
        assert_eq!(verdict(what), (action, class, code.to_owned(), no_effect), "{shown:?}");
    }
}

#[test]
fn only_the_registers_own_condition_passes() {
    for (passing, expected) in
        [(true, ("retry", "register_out_of_order")), (false, ("dead", "receipt_refused"))]
    {
        let what = What::Refused { code: 1, message: String::new(), passing };
        assert_eq!(what.is_passing(), passing);
        let (action, _, name, _) = verdict(what);
        assert_eq!((action, name.as_str()), expected);
    }
}
