//! Forms as portals send them, as attackers send them, and as nobody would.

use std::{fs, path::Path};

use proptest::prelude::*;

use super::*;

const SAVED: &str = "event=ONSALEORDERSAVED&event_handler_id=975&data%5BFIELDS%5D%5BID%5D=236\
    &data%5BFIELDS%5D%5BACTION%5D=save&ts=1766047124&auth%5Bdomain%5D=shop.bitrix24.ru\
    &auth%5Bmember_id%5D=00000000000000000000000000000002&auth%5Bapplication_token%5D=TOKEN";

#[test]
fn a_saved_order_is_read_with_encoded_and_with_plain_brackets() {
    for form in [SAVED.to_owned(), SAVED.replace("%5B", "[").replace("%5D", "]")] {
        let call = Call::parse(form.as_bytes()).unwrap();
        assert_eq!(call.event, "ONSALEORDERSAVED");
        assert_eq!(call.concern, Concern::Order(236));
        assert_eq!(call.ts, Some(1_766_047_124));
        assert_eq!(call.domain.as_deref(), Some("shop.bitrix24.ru"));
        assert_eq!(call.member_id.as_deref(), Some("00000000000000000000000000000002"));
        assert!(call.token_is("TOKEN"));
        assert!(!call.token_is("TOKEM") && !call.token_is("TOKE") && !call.token_is(""));
    }
}

#[test]
fn a_form_without_auth_is_read_and_never_trusted() {
    let call = Call::parse(b"event=ONSALEORDERSAVED&data[FIELDS][ID]=1").unwrap();
    assert!(!call.token_is("") && !call.token_is("x"));
    assert_eq!(call.member_id, None);
}

#[test]
fn neither_token_nor_domain_is_shown() {
    let shown = format!("{:?}", Call::parse(SAVED.as_bytes()).unwrap());
    assert!(!shown.contains("TOKEN") && !shown.contains("shop.bitrix24.ru"), "{shown}");
}

#[test]
fn each_event_says_what_it_is_about() {
    let about = |event: &str| {
        Call::parse(format!("event={event}&data[FIELDS][ID]=7").as_bytes()).unwrap().concern
    };
    assert_eq!(about("ONSALEORDERSAVED"), Concern::Order(7));
    assert_eq!(about("onsaleordersaved"), Concern::Order(7));
    assert_eq!(about("ONORDERENTITYSAVED"), Concern::Order(7));
    assert_eq!(about("ONSALEBEFOREORDERDELETE"), Concern::OrderDeleted(7));
    assert_eq!(about("ONORDERDELETED"), Concern::OrderDeleted(7));
    assert_eq!(about("ONPAYMENTENTITYSAVED"), Concern::Payment(7));
    assert_eq!(about("ONSHIPMENTENTITYSAVED"), Concern::Shipment(7));
    assert_eq!(about("ONCRMDEALUPDATE"), Concern::Nothing);
    assert_eq!(about("ONPAYMENTDELETED"), Concern::Nothing);
}

#[test]
fn broken_forms_are_refused_with_their_reason() {
    let deep = format!("a{}=1", "[b]".repeat(MAX_DEPTH + 1));
    let deeper = format!("a{}=1", "[b]".repeat(100));
    let many = "a=1&".repeat(MAX_PAIRS + 1);
    let long = "a".repeat(MAX_BODY + 1);
    let key = "k".repeat(MAX_KEY + 1);
    let rows: [(&str, FormError); 23] = [
        ("", FormError::Missing("event")),
        ("{\"event\":\"ONSALEORDERSAVED\"}", FormError::Missing("event")),
        ("event=", FormError::Name),
        ("event=ON+SALE", FormError::Name),
        ("event=ЗАКАЗ", FormError::Name),
        ("event=ONSALEORDERSAVED", FormError::Missing("data[FIELDS][ID]")),
        ("event=ONSALEORDERSAVED&data[FIELDS][ID]=", FormError::NotANumber("data[FIELDS][ID]")),
        ("event=ONSALEORDERSAVED&data[FIELDS][ID]=0", FormError::NotANumber("data[FIELDS][ID]")),
        ("event=ONSALEORDERSAVED&data[FIELDS][ID]=-1", FormError::NotANumber("data[FIELDS][ID]")),
        (
            "event=ONSALEORDERSAVED&data[FIELDS][ID]=9223372036854775808",
            FormError::NotANumber("data[FIELDS][ID]"),
        ),
        ("event=A&ts=yesterday", FormError::NotANumber("ts")),
        ("event=A&event=B", FormError::Repeated("event")),
        ("event=A&x=%zz", FormError::Encoding),
        ("event=A&x=%4", FormError::Encoding),
        ("event=A&x=%FF", FormError::Encoding),
        ("event=A&x[=1", FormError::Brackets),
        ("event=A&x]=1", FormError::Brackets),
        ("event=A&x[a]b[c]=1", FormError::Brackets),
        (&deep, FormError::TooDeep),
        (&deeper, FormError::KeyTooLong),
        (&many, FormError::TooManyPairs),
        (&long, FormError::TooLong),
        (&key, FormError::KeyTooLong),
    ];
    for (form, reason) in rows {
        let shown: String = form.chars().take(60).collect();
        assert_eq!(Call::parse(form.as_bytes()).unwrap_err(), reason, "{shown}");
    }
}

#[test]
fn the_bounds_themselves_are_allowed() {
    let deep = format!("event=A&a{}=1", "[b]".repeat(MAX_DEPTH));
    assert!(Call::parse(deep.as_bytes()).is_ok());
    let many = format!("event=A{}", "&a=1".repeat(MAX_PAIRS - 1));
    assert!(Call::parse(many.as_bytes()).is_ok());
}

#[test]
fn every_documented_call_is_read() {
    let folder =
        Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/vendors/bitrix/webhooks");
    let Ok(files) = fs::read_dir(&folder) else {
        println!("NOT CHECKED against documented calls: {} is not there", folder.display());
        return;
    };
    let mut orders = 0;
    for file in files.map(|file| file.unwrap().path()) {
        if file.extension().is_some_and(|extension| extension == "form") {
            let body = fs::read(&file).unwrap();
            let call = Call::parse(body.trim_ascii_end()).unwrap_or_else(|error| {
                panic!("{}: {error}", file.display());
            });
            orders += u32::from(matches!(call.concern, Concern::Order(_)));
        }
    }
    assert!(orders >= 3, "the documentation shows three saved orders or more, read {orders}");
}

proptest! {
    #[test]
    fn any_bytes_are_read_or_refused(body in proptest::collection::vec(any::<u8>(), 0..2_000)) {
        drop(Call::parse(&body));
    }

    #[test]
    fn any_form_is_read_or_refused_within_the_bounds(body in "([a-z%+\\[\\]]{0,12}=[A-Z0-9%\\[\\]]{0,8}&){0,300}") {
        if Call::parse(body.as_bytes()).is_ok() {
            prop_assert!(body.split('&').filter(|pair| !pair.is_empty()).count() <= MAX_PAIRS);
        }
    }

    #[test]
    fn any_value_survives_encoding(value in "\\PC{0,40}") {
        let encoded: String = value.bytes().map(|byte| format!("%{byte:02X}")).collect();
        let form = format!("event=A&auth[domain]={encoded}");
        prop_assert_eq!(Call::parse(form.as_bytes()).unwrap().domain, Some(value));
    }
}
