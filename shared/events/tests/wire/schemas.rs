//! The document and the types say the same.

use std::collections::{BTreeMap, BTreeSet};

use events::{Channel, Event, PaymentState, Phase, Vat};
use jsonschema::Validator;
use proptest::prelude::*;
use serde::Serialize;
use serde_json::{Value, json};

use crate::{
    arbitrary,
    document::{DOCUMENT, entries, message_name, payload, resolved, validator},
    sample,
};

/// The one message that is no event: it carries another one with the reason of its death.
const DEAD_LETTER: &str = "deadLetter";

/// A validator for each kind of event.
fn payloads() -> BTreeMap<&'static str, Validator> {
    let names = sample::all().into_iter().map(|event| message_name(&event.fact));
    names.collect::<BTreeSet<_>>().into_iter().map(|name| (name, payload(name))).collect()
}

/// What a schema has against a value.
fn complaints(schema: &Validator, json: &Value) -> Vec<String> {
    let errors = schema.iter_errors(json);
    errors.map(|error| format!("{}: {error}", error.instance_path())).collect()
}

fn json_of(event: &Event) -> Value {
    serde_json::from_str(&event.to_json().unwrap()).unwrap()
}

#[test]
fn each_type_of_event_has_a_message_and_each_message_a_type() {
    let documented: BTreeSet<_> =
        entries("/components/messages").keys().map(String::as_str).collect();
    let told = payloads().into_keys().chain([DEAD_LETTER]).collect();
    assert_eq!(documented, told);
}

#[test]
fn each_sample_is_what_its_schema_says() {
    let payloads = payloads();
    for event in sample::all() {
        let name = message_name(&event.fact);
        let errors = complaints(&payloads[name], &json_of(&event));
        assert!(errors.is_empty(), "{name}: {errors:#?}");
    }
}

#[test]
fn an_event_is_what_its_own_schema_says_and_no_other() {
    let payloads = payloads();
    for event in sample::all() {
        let json = json_of(&event);
        let fitting: Vec<_> =
            payloads.iter().filter(|(_, payload)| payload.is_valid(&json)).collect();
        assert_eq!(fitting.len(), 1, "{}", message_name(&event.fact));
    }
}

#[test]
fn the_message_names_the_type_and_the_topic() {
    for event in sample::all() {
        let name = message_name(&event.fact);
        let message = &DOCUMENT["components"]["messages"][name];
        let documented = resolved(&message["payload"])["properties"]["type"]["const"].clone();
        assert_eq!(documented, json_of(&event)["type"], "{name}");
        assert_eq!(message["name"], documented, "{name}");
        let topic = message["x-topic"].as_str().unwrap().replace("{service}", "fiscal");
        assert_eq!(topic, event.topic(), "{name}");
    }
}

#[test]
fn the_examples_are_events() {
    let mut seen = 0;
    for (name, message) in entries("/components/messages") {
        let headers = validator(&format!("/components/messages/{name}/headers"));
        for example in message["examples"].as_array().unwrap() {
            let event = Event::from_json(example["payload"].to_string().as_bytes());
            let event = event.unwrap_or_else(|error| panic!("{name}: {error}"));
            assert_eq!(json_of(&event), example["payload"], "{name}");
            assert!(headers.is_valid(&example["headers"]), "{name}: headers");
            if name != DEAD_LETTER {
                assert_eq!(message_name(&event.fact), name);
            }
            seen += 1;
        }
    }
    assert!(seen >= entries("/components/messages").len(), "each message has an example");
}

/// Goes through a value and everything within, with the way to each.
fn walk(value: &Value, way: &str, visit: &mut impl FnMut(&str, &Value)) {
    visit(way, value);
    match value {
        Value::Object(fields) => {
            for (name, field) in fields {
                let name = name.replace('~', "~0").replace('/', "~1");
                walk(field, &format!("{way}/{name}"), visit);
            }
        }
        Value::Array(items) => {
            for (place, item) in items.iter().enumerate() {
                walk(item, &format!("{way}/{place}"), visit);
            }
        }
        _ => {}
    }
}

/// The ways to all objects in an event whose fields have fixed names.
fn objects(json: &Value) -> Vec<String> {
    let mut ways = Vec::new();
    walk(json, "", &mut |way, value| {
        let free = way.ends_with("/properties") || way.ends_with("/links");
        if value.is_object() && !free {
            ways.push(way.to_owned());
        }
    });
    ways
}

#[test]
fn a_field_that_nobody_knows_is_refused_everywhere() {
    let payloads = payloads();
    for event in sample::all() {
        let (name, json) = (message_name(&event.fact), json_of(&event));
        for way in objects(&json) {
            let mut strange = json.clone();
            strange.pointer_mut(&way).unwrap()["stranger"] = json!("field");
            assert!(!payloads[name].is_valid(&strange), "{name}{way}: the schema");
            // CloudEvents lets others add attributes to the envelope.
            let read = Event::from_json(strange.to_string().as_bytes());
            assert_eq!(read.is_ok(), way.is_empty(), "{name}{way}: the type");
        }
    }
}

#[test]
fn a_field_that_is_missing_is_refused_everywhere() {
    let payloads = payloads();
    for event in sample::all() {
        let (name, json) = (message_name(&event.fact), json_of(&event));
        for way in objects(&json) {
            for field in json.pointer(&way).unwrap().as_object().unwrap().keys() {
                let mut poorer = json.clone();
                poorer.pointer_mut(&way).unwrap().as_object_mut().unwrap().remove(field);
                // Only what is written when there is something to write may be absent.
                let optional = ["properties", "links"].contains(&field.as_str())
                    && way == "/data"
                    && name == "statusChanged"
                    || field == "marks_by"
                    || field == "subject" && ["webhookReceived", "receiptAsked"].contains(&name);
                let refused = !payloads[name].is_valid(&poorer);
                assert_eq!(refused, !optional, "{name}{way} without {field}");
            }
        }
    }
}

#[test]
fn each_word_of_an_enumeration_is_documented_and_no_other() {
    let words = |name: &str| -> BTreeSet<String> {
        let schema = &DOCUMENT["components"]["schemas"][name];
        serde_json::from_value(schema["enum"].clone()).unwrap()
    };
    assert_eq!(words("Vat"), wire(Vat::ALL));
    // Each list below names every variant: the match fails to compile when there is a new one.
    let known = |phase| match phase {
        Phase::Working | Phase::Retrying | Phase::Done | Phase::Failed | Phase::Unknown => phase,
    };
    let phases = [Phase::Working, Phase::Retrying, Phase::Done, Phase::Failed, Phase::Unknown];
    assert_eq!(words("Phase"), wire(phases.map(known)));
    let known = |channel| match channel {
        Channel::Bitrix24 | Channel::Site | Channel::Reconcile => channel,
    };
    let channels = [Channel::Bitrix24, Channel::Site, Channel::Reconcile];
    assert_eq!(words("Channel"), wire(channels.map(known)));
    let known = |state| match state {
        PaymentState::Open | PaymentState::Paid | PaymentState::Returned => state,
    };
    let states = [PaymentState::Open, PaymentState::Paid, PaymentState::Returned];
    assert_eq!(words("PaymentState"), wire(states.map(known)));
}

fn wire<T: Serialize, const N: usize>(values: [T; N]) -> BTreeSet<String> {
    let text = |value| serde_json::to_value(value).unwrap().as_str().unwrap().to_owned();
    values.map(text).into()
}

#[test]
fn every_schema_is_described_closed_and_used() {
    let mut used = BTreeSet::new();
    walk(&DOCUMENT, "", &mut |_, value| {
        let reference = value.get("$ref").and_then(Value::as_str);
        used.extend(reference.map(str::to_owned));
    });
    for (name, schema) in entries("/components/schemas") {
        assert!(used.contains(&format!("#/components/schemas/{name}")), "{name} is not used");
        assert!(schema["description"].is_string(), "{name} is not described");
        // The broker adds headers of its own.
        if schema["type"] == "object" && !name.ends_with("Headers") {
            let rest = &schema["additionalProperties"];
            assert!(rest == false || rest["type"] == "string", "{name} is open");
        }
        let properties = schema["properties"].as_object().into_iter().flatten();
        for (property, described) in properties {
            let description = &resolved(described)["description"];
            assert!(description.is_string(), "{name}.{property} is not described");
        }
        let validator = validator(&format!("/components/schemas/{name}"));
        let examples = schema["examples"].as_array();
        for example in examples.into_iter().flatten() {
            assert!(validator.is_valid(example), "{name}: its example {example} is none");
        }
        // What is no object, no choice and no other schema shows what it looks like.
        let shown =
            ["properties", "enum", "const", "allOf"].iter().any(|key| schema.get(key).is_some());
        assert!(shown || examples.is_some(), "{name} has no example");
    }
}

#[test]
fn every_reference_leads_somewhere_and_stands_alone() {
    walk(&DOCUMENT, "", &mut |way, value| {
        if let Some(reference) = value.get("$ref").and_then(Value::as_str) {
            // Draft 7 reads nothing beside a reference.
            assert_eq!(value.as_object().map(|fields| fields.len()), Some(1), "{way}");
            let target = reference.strip_prefix('#').and_then(|to| DOCUMENT.pointer(to));
            assert!(target.is_some(), "{way}: {reference} leads nowhere");
        }
    });
}

/// What else could stand in the place of a value.
fn instead() -> impl Strategy<Value = Value> {
    prop_oneof![
        Just(json!(null)),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<u64>().prop_map(Value::from),
        arbitrary::text().prop_map(Value::from),
        "[0-9]{1,22}(\\.[0-9]{1,7})?".prop_map(Value::from),
        "[A-Za-z0-9+/]{0,8}={0,2}".prop_map(Value::from),
        "[0-9]{4}-[01][0-9]-[0-3][0-9][Tt ][0-2][0-9]:[0-5][0-9]:[0-6][0-9](\\.[0-9]{1,10})?([Zz]|[+-][0-2][0-9]:[0-5][0-9])".prop_map(Value::from),
        Just(json!([])),
        Just(json!({})),
    ]
}

proptest! {
    #[test]
    fn any_event_is_what_its_schema_says(event in arbitrary::event()) {
        thread_local! { static PAYLOADS: BTreeMap<&'static str, Validator> = payloads(); }
        let (name, json) = (message_name(&event.fact), json_of(&event));
        let errors = PAYLOADS.with(|payloads| complaints(&payloads[name], &json));
        prop_assert!(errors.is_empty(), "{name}: {errors:#?}");
    }

    /// The schema is nowhere looser than the type. An id that no longer follows is another matter.
    #[test]
    fn what_the_schema_takes_the_type_takes(
        event in prop::sample::select(sample::all()),
        place in any::<prop::sample::Index>(),
        value in instead(),
    ) {
        thread_local! { static PAYLOADS: BTreeMap<&'static str, Validator> = payloads(); }
        let (name, mut json) = (message_name(&event.fact), json_of(&event));
        let mut ways = Vec::new();
        walk(&json, "", &mut |way, _| ways.push(way.to_owned()));
        let way = place.get(&ways);
        *json.pointer_mut(way).unwrap() = value;
        if PAYLOADS.with(|payloads| payloads[name].is_valid(&json)) {
            let read = serde_json::from_value::<Event>(json.clone());
            prop_assert!(read.is_ok(), "{name}{way}: {read:?} in {json}");
        }
    }
}
