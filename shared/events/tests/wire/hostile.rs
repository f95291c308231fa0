//! Bytes that are no event are refused, and the refusal never quotes them: they may hold personal
//! data, and the refusal goes into logs.

use std::error::Error;

use events::{Event, EventError};
use proptest::prelude::*;
use serde_json::{Map, Value, json};

use crate::sample;

/// What is put into messages and must not come out in errors.
const MARKER: &str = "Иванова +7 900 123-45-67";

/// Everything that a log could print of an error.
fn printed(error: &EventError) -> String {
    let mut text = format!("{error}\n{error:?}");
    let mut source = error.source();
    while let Some(error) = source {
        text.push_str(&format!("\n{error}\n{error:?}"));
        source = error.source();
    }
    text
}

/// Reads bytes; the words of a refusal are its own, and only numbers and ids are the message's.
fn check(bytes: &[u8]) -> Result<(), TestCaseError> {
    let Err(error) = Event::from_json(bytes) else { return Ok(()) };
    let own = match &error {
        EventError::Malformed { column } => format!(
            "the message is not an event that this version knows (see column {column})\n\
             Malformed {{ column: {column} }}"
        ),
        EventError::SpecVersion => "the message is of another version of CloudEvents than 1.0\n\
             SpecVersion"
            .to_owned(),
        EventError::ForeignId { given, derived } => format!(
            "the event's id {given} does not follow from its fact, which gives {derived}\n\
             ForeignId {{ given: {given}, derived: {derived} }}"
        ),
    };
    prop_assert_eq!(printed(&error), own);
    Ok(())
}

/// Every message that differs from `json` in one value or one name.
fn disturbed(json: &Value) -> Vec<Value> {
    let mut all =
        vec![json!(MARKER), json!([MARKER]), json!({ MARKER: MARKER }), json!(null), json!(-1)];
    match json {
        Value::Object(fields) => {
            for (name, field) in fields {
                let with = |name: &str, field: Value| {
                    let mut fields: Map<_, _> = fields.clone();
                    fields.insert(name.to_owned(), field);
                    Value::Object(fields)
                };
                all.extend(disturbed(field).into_iter().map(|field| with(name, field)));
                let mut without = fields.clone();
                let field = without.remove(name).unwrap();
                all.push(Value::Object(without.clone()));
                without.insert(format!("{name} {MARKER}"), field);
                all.push(Value::Object(without));
            }
            let mut more = fields.clone();
            more.insert(MARKER.to_owned(), json!(MARKER));
            all.push(Value::Object(more));
        }
        Value::Array(items) => {
            for (place, item) in items.iter().enumerate() {
                for other in disturbed(item) {
                    let mut items = items.clone();
                    items[place] = other;
                    all.push(Value::Array(items));
                }
            }
        }
        Value::String(text) => all.push(json!(format!("{text} {MARKER}"))),
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
    all
}

#[test]
fn no_disturbed_event_is_quoted() {
    for event in sample::all() {
        let json: Value = serde_json::from_str(&event.to_json().unwrap()).unwrap();
        for other in disturbed(&json) {
            check(other.to_string().as_bytes()).unwrap_or_else(|error| panic!("{error}: {other}"));
        }
    }
}

#[test]
fn no_torn_event_is_quoted() {
    for event in sample::all() {
        let text = event.to_json().unwrap();
        for end in 0..text.len() {
            let torn = &text.as_bytes()[..end];
            assert!(Event::from_json(torn).is_err());
            check(torn).unwrap();
        }
    }
}

#[test]
fn no_depth_is_too_deep() {
    let event = sample::all().remove(0).to_json().unwrap();
    let deep = format!("{}{MARKER}", "[".repeat(1_000_000));
    check(deep.as_bytes()).unwrap();
    check(event.replacen("\"data\":", &format!("\"data\":{deep},\"x\":"), 1).as_bytes()).unwrap();
    check(event.replacen('{', &format!("{{\"{MARKER}\":{deep},"), 1).as_bytes()).unwrap();
}

#[test]
fn another_version_of_cloud_events_is_refused_and_not_quoted() {
    let event = sample::all().remove(0).to_json().unwrap();
    for version in ["0.3", "1.0.1", "", MARKER] {
        let text = event.replacen("\"1.0\"", &json!(version).to_string(), 1);
        let read = Event::from_json(text.as_bytes());
        assert!(matches!(read, Err(EventError::SpecVersion)), "{version}: {read:?}");
        check(text.as_bytes()).unwrap();
    }
}

proptest! {
    #[test]
    fn no_bytes_are_quoted(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        check(&bytes)?;
    }

    #[test]
    fn no_damaged_event_is_quoted(
        event in prop::sample::select(sample::all()),
        damage in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..4),
    ) {
        let mut bytes = event.to_json().unwrap().into_bytes();
        for (place, byte) in damage {
            let place = place.index(bytes.len());
            bytes[place] = byte;
        }
        check(&bytes)?;
    }
}
