//! The retry table: what follows each thing that can go wrong.

use std::time::Duration;

use marking::gismt::{Error, What};
use runtime::{Class, Failure};
use signing::SignError;

fn verdict(what: What) -> (&'static str, Option<Duration>) {
    match Failure::from(Error::from(what).of("1001")) {
        Failure::Retry(_, after) => ("retry", after),
        Failure::Later(_, after) => ("later", Some(after)),
        Failure::Dead(_) => ("dead", None),
        Failure::Down(_) => ("down", None),
    }
}

#[test]
fn what_follows_each_thing_that_can_go_wrong() {
    let words = || "words".to_owned();
    let after = Some(Duration::from_secs(3));
    let inside = |what| What::SignIn(Box::new(what));
    let table = [
        (What::Busy { after: Duration::from_secs(3) }, "later", after),
        (What::NotSent(words()), "down", None),
        (What::NoAnswer(words()), "retry", None),
        (What::RateLimited { after }, "retry", after),
        (What::Unauthorized, "retry", None),
        (What::Forbidden(words()), "dead", None),
        (What::SignatureRefused(words()), "dead", None),
        (What::TooLarge, "dead", None),
        (What::GeoBlocked, "down", None),
        (What::Rejected { status: 400, message: words() }, "dead", None),
        (What::Unavailable { status: 503, after }, "retry", after),
        (What::Garbled(words()), "retry", None),
        (What::NoId(words()), "retry", None),
        (What::Store(words()), "retry", None),
        (What::Signing(SignError::Busy), "retry", None),
        (What::Signing(SignError::Unauthorized), "down", None),
        (inside(What::Signing(SignError::Missing(words()))), "down", None),
        (inside(What::NotSent(words())), "down", None),
        (inside(What::Forbidden(words())), "down", None),
        (inside(What::SignatureRefused(words())), "down", None),
        (inside(What::Rejected { status: 400, message: words() }), "down", None),
        (inside(What::NoAnswer(words())), "retry", None),
        (inside(What::Unavailable { status: 500, after }), "retry", after),
        (inside(What::RateLimited { after }), "retry", after),
    ];
    for (what, follows, after) in table {
        assert_eq!(verdict(what.clone()), (follows, after), "{what:?}");
    }
}

#[test]
fn only_what_left_without_an_answer_may_have_happened() {
    let words = || "words".to_owned();
    for what in [
        What::NoAnswer(words()),
        What::Unavailable { status: 500, after: None },
        What::Garbled(words()),
        What::NoId(words()),
    ] {
        assert!(!what.had_no_effect(), "{what:?}");
    }
    // A sign-in that got no answer left the document at home.
    assert!(What::SignIn(Box::new(What::NoAnswer(words()))).had_no_effect());
}

#[test]
fn a_reason_names_the_order_and_what_to_do() {
    let Failure::Dead(reason) =
        Failure::from(Error::from(What::Forbidden("нет договора".into())).of("1001"))
    else {
        panic!("dead")
    };
    assert_eq!((reason.class, reason.code.as_str()), (Class::Refused, "gismt_forbidden"));
    assert!(reason.text.ru.starts_with("Честный знак, заказ № 1001: "), "{}", reason.text.ru);
    assert!(reason.text.en.contains("order 1001") && reason.text.en.ends_with("then replay."));
    assert!(reason.evidence.unwrap().contains("нет договора"));
    let Failure::Retry(reason, _) = Failure::from(Error::from(What::Unauthorized)) else {
        panic!()
    };
    assert!(reason.text.ru.starts_with("Честный знак: "));
}
