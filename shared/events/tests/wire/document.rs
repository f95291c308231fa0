//! `docs/asyncapi.yaml`, read.

use std::sync::LazyLock;

use events::Fact;
use jsonschema::Validator;
use serde_json::{Map, Value, json};

/// The document.
pub(crate) static DOCUMENT: LazyLock<Value> = LazyLock::new(|| {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/asyncapi.yaml");
    let text = std::fs::read_to_string(path).unwrap();
    serde_saphyr::from_str(&text).unwrap_or_else(|error| panic!("{path}: {error}"))
});

/// The message of the document that describes this fact.
///
/// A new variant of [`Fact`] does not compile before it has a name here, and the tests fail before
/// the document has a message of that name and [`crate::sample`] an event of it.
pub(crate) fn message_name(fact: &Fact) -> &'static str {
    match fact {
        Fact::WebhookReceived(_) => "webhookReceived",
        Fact::OrderCreated(_) => "orderCreated",
        Fact::OrderPaid(_) => "orderPaid",
        Fact::OrderShipped(_) => "orderShipped",
        Fact::OrderCompleted(_) => "orderCompleted",
        Fact::OrderCancelled(_) => "orderCancelled",
        Fact::OrderChanged(_) => "orderChanged",
        Fact::OrderReturned(_) => "orderReturned",
        Fact::PaymentRefunded(_) => "paymentRefunded",
        Fact::ReceiptAsked(_) => "receiptAsked",
        Fact::CheckIssued(_) => "checkIssued",
        Fact::StatusChanged(_) => "statusChanged",
    }
}

/// Where a reference leads, and itself where there is none.
pub(crate) fn resolved(value: &'static Value) -> &'static Value {
    let Some(reference) = value.get("$ref") else { return value };
    let pointer = reference.as_str().and_then(|text| text.strip_prefix('#')).unwrap();
    let target = DOCUMENT.pointer(pointer);
    resolved(target.unwrap_or_else(|| panic!("{reference} leads nowhere")))
}

/// The named entries of a part of the document, such as `/components/messages`.
pub(crate) fn entries(pointer: &str) -> &'static Map<String, Value> {
    let part = DOCUMENT.pointer(pointer).unwrap_or_else(|| panic!("no {pointer}"));
    part.as_object().unwrap_or_else(|| panic!("{pointer} has no names"))
}

/// The schema of the document at `pointer`.
pub(crate) fn validator(pointer: &str) -> Validator {
    let schema = json!({ "$ref": format!("#{pointer}"), "components": DOCUMENT["components"] });
    jsonschema::draft7::options()
        .should_validate_formats(true)
        .build(&schema)
        .unwrap_or_else(|error| panic!("{pointer}: {error}"))
}

/// The schema of a message's payload.
pub(crate) fn payload(message: &str) -> Validator {
    validator(&format!("/components/messages/{message}/payload"))
}
