//! A dead letter as it is kept: read from what came off the broker, without I/O.

use std::collections::BTreeMap;

use events::Event;
use uuid::Uuid;

use crate::{group::Group, timeline::clean};

/// A letter to be kept.
#[derive(Debug, Clone)]
pub(crate) struct Kept<'a> {
    pub id: Uuid,
    pub worker: Option<&'a str>,
    pub event_id: Uuid,
    pub death: Option<Uuid>,
    pub exchange: &'a str,
    pub key: &'a str,
    pub headers: &'a BTreeMap<String, String>,
    pub body: &'a [u8],
    pub reason: Why,
    pub topic: Option<String>,
    pub order_key: Option<String>,
    pub order_number: Option<String>,
    pub group: Group,
}

/// Why it is dead, as its headers say.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Why {
    pub class: &'static str,
    pub code: String,
    pub ru: String,
    pub en: String,
    pub evidence: Option<String>,
    pub first_error: Option<String>,
    pub attempts: i64,
}

/// All classes, with `unrouted` for what no queue was bound for.
pub(crate) const CLASSES: [&str; 6] =
    ["invalid", "refused", "unavailable", "unknown", "internal", "unrouted"];

/// The identities of letters are UUIDv5 in this namespace.
const LETTERS: Uuid = Uuid::from_u128(0x8a52_7a5c_9a1e_4b36_8c1d_0b3a_5f24_71d0);

/// What [`runtime::Desk::drain`] took, read.
pub(crate) fn read(letter: &runtime::Letter) -> Kept<'_> {
    let event = Event::from_json(&letter.body).ok();
    let event_id = letter.id.as_deref().and_then(|id| id.parse().ok());
    let event_id = event_id
        .or_else(|| event.as_ref().map(Event::id))
        .unwrap_or_else(|| Uuid::new_v5(&Uuid::NAMESPACE_OID, &letter.body));
    let death = letter.headers.get("x-parom-death").and_then(|death| death.parse().ok());
    let worker = letter.worker.as_deref().unwrap_or("");
    // Without a death of its own, the same bytes are the same letter.
    let name = match death {
        Some(death) => format!("{worker} {event_id} {death}"),
        None => format!("{worker} {event_id} {} {}", letter.exchange, letter.key),
    };
    let order = event.as_ref().and_then(Event::order);
    let number = order.map(|order| crate::timeline::plain(&order.number));
    let reason = why(letter, number.as_deref());
    Kept {
        id: Uuid::new_v5(&LETTERS, name.as_bytes()),
        event_id,
        death,
        group: Group::of(letter.worker.as_deref(), &reason),
        reason,
        topic: event.as_ref().map(|event| crate::timeline::plain(&event.topic())),
        order_key: order.map(crate::timeline::order_key),
        order_number: number,
        worker: letter.worker.as_deref(),
        exchange: &letter.exchange,
        key: &letter.key,
        headers: &letter.headers,
        body: &letter.body,
    }
}

fn why(letter: &runtime::Letter, order: Option<&str>) -> Why {
    let header = |name: &str| letter.headers.get(name).map(|text| clean(text));
    let Some(worker) = letter.worker.as_deref() else { return unrouted(&letter.key, order) };
    let class = header("x-parom-class");
    let class = class.and_then(|class| CLASSES.into_iter().find(|known| *known == class));
    match (class, header("x-parom-code"), header("x-parom-reason-ru"), header("x-parom-reason")) {
        (Some(class), Some(code), Some(ru), Some(en)) => Why {
            class,
            code,
            ru,
            en,
            evidence: header("x-parom-evidence"),
            first_error: header("x-parom-first-error"),
            attempts: header("x-parom-attempts").and_then(|n| n.parse().ok()).unwrap_or(0),
        },
        _ => given_up(worker, order),
    }
}

/// A message that the broker gave up, or that somebody put there by hand.
fn given_up(worker: &str, order: Option<&str>) -> Why {
    let (ru, en) = begin(order);
    Why {
        class: "internal",
        code: "given_up_by_broker".to_owned(),
        ru: format!("{ru}: брокер снял сообщение с очереди {worker}; повторите его."),
        en: format!("{en}: the broker gave the message of {worker} up; replay it."),
        evidence: None,
        first_error: None,
        attempts: 0,
    }
}

fn unrouted(key: &str, order: Option<&str>) -> Why {
    let (ru, en) = begin(order);
    let key = clean(key);
    Why {
        class: "unrouted",
        code: "no_listener".to_owned(),
        ru: format!(
            "{ru}: событие {key} никто не ждал. Запустите нужный сервис и повторите отправку."
        ),
        en: format!("{en}: nobody listened to {key}. Start the service it is for, then replay."),
        evidence: None,
        first_error: None,
        attempts: 0,
    }
}

fn begin(order: Option<&str>) -> (String, String) {
    match order {
        Some(number) => (format!("Заказ № {number}"), format!("Order {number}")),
        None => ("Сообщение".to_owned(), "A message".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::{Why, read};
    use std::collections::BTreeMap;
    use uuid::Uuid;

    /// The identity and the reason of a letter.
    fn letter(worker: Option<&str>, headers: &[(&str, &str)], body: &[u8]) -> (Uuid, Why) {
        let headers: BTreeMap<String, String> =
            headers.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect();
        let letter = runtime::Letter {
            worker: worker.map(str::to_owned),
            exchange: "parom.dead".to_owned(),
            key: "fiscal".to_owned(),
            id: Some("00000000-0000-0000-0000-000000000007".to_owned()),
            redelivered: false,
            headers,
            body: body.to_vec(),
        };
        let kept = read(&letter);
        (kept.id, kept.reason)
    }

    const DEATH: (&str, &str) = ("x-parom-death", "6f1c2a4e-9f0b-4a57-8f3a-0c8d3a7be1d2");

    #[test]
    fn a_letter_told_twice_is_one_and_a_second_death_another() {
        let other = ("x-parom-death", "6f1c2a4e-9f0b-4a57-8f3a-0c8d3a7be1d3");
        let first = letter(Some("fiscal"), &[DEATH], b"x");
        assert_eq!(first.0, letter(Some("fiscal"), &[DEATH], b"x").0);
        assert_ne!(first.0, letter(Some("fiscal"), &[other], b"x").0);
        assert_ne!(first.0, letter(Some("loyalty"), &[DEATH], b"x").0);
        assert_ne!(first.0, letter(None, &[], b"x").0);
    }

    #[test]
    fn a_class_that_nobody_knows_is_our_own_failure() {
        for (headers, class, code) in [
            (
                vec![("x-parom-class", "odd"), ("x-parom-code", "x")],
                "internal",
                "given_up_by_broker",
            ),
            (vec![], "internal", "given_up_by_broker"),
            (
                vec![
                    ("x-parom-class", "refused"),
                    ("x-parom-code", "no"),
                    ("x-parom-reason", "No\0."),
                    ("x-parom-reason-ru", "Нет."),
                ],
                "refused",
                "no",
            ),
        ] {
            let why = letter(Some("fiscal"), &headers, b"x").1;
            assert_eq!((why.class, why.code.as_str()), (class, code));
            assert!(!why.en.contains('\0'));
        }
        assert_eq!(letter(None, &[], b"x").1.class, "unrouted");
    }
}
