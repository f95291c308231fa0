//! What events look like on the wire: one file for each type. A change here is a new version of
//! the type, or an error.

use std::collections::{BTreeMap, BTreeSet};

use events::{Event, Fact};

use crate::sample;

/// The type of an event, as its file is called. A variant without a name here does not compile.
fn type_name(fact: &Fact) -> &'static str {
    match fact {
        Fact::WebhookReceived(_) => "webhook.received",
        Fact::OrderCreated(_) => "order.created",
        Fact::OrderPaid(_) => "order.paid",
        Fact::OrderShipped(_) => "order.shipped",
        Fact::OrderCompleted(_) => "order.completed",
        Fact::OrderCancelled(_) => "order.cancelled",
        Fact::OrderChanged(_) => "order.changed",
        Fact::OrderReturned(_) => "order.returned",
        Fact::PaymentRefunded(_) => "payment.refunded",
        Fact::ReceiptAsked(_) => "receipt.asked",
        Fact::CheckIssued(_) => "check.issued",
        Fact::StatusChanged(_) => "status.changed",
    }
}

#[test]
fn each_type_has_its_form() {
    let mut types: BTreeMap<&str, Vec<Event>> = BTreeMap::new();
    for event in sample::all() {
        types.entry(type_name(&event.fact)).or_default().push(event);
    }
    for (name, events) in types {
        insta::with_settings!({ prepend_module_to_snapshot => false, omit_expression => true }, {
            insta::assert_json_snapshot!(name, events);
        });
    }
}

#[test]
fn each_type_has_a_sample() {
    let directory = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/wire/snapshots");
    let files = std::fs::read_dir(directory).unwrap();
    let kept: BTreeSet<String> = files
        .map(|file| file.unwrap().file_name().into_string().unwrap())
        .filter_map(|name| Some(name.strip_suffix(".snap")?.to_owned()))
        .collect();
    let told: BTreeSet<String> =
        sample::all().iter().map(|event| type_name(&event.fact).to_owned()).collect();
    assert_eq!(kept, told, "a file without a type, or a type without a file");
}

#[test]
fn the_type_on_the_wire_is_the_name_and_the_version() {
    for event in sample::all() {
        let json: serde_json::Value = serde_json::from_str(&event.to_json().unwrap()).unwrap();
        assert_eq!(json["type"], format!("ru.parom.{}.v1", type_name(&event.fact)));
    }
}

#[test]
fn every_sample_comes_back_from_its_text() {
    for event in sample::all() {
        let text = event.to_json().unwrap();
        let back = Event::from_json(text.as_bytes()).unwrap();
        assert_eq!(back, event);
        assert_eq!(back.to_json().unwrap(), text);
    }
}

#[test]
fn debug_shows_nobodys_data() {
    for event in sample::all() {
        let shown = format!("{event:?}");
        for secret in sample::SECRETS {
            assert!(!shown.contains(secret), "{secret} in {shown}");
        }
    }
}
