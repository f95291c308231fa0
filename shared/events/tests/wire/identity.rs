//! An event's id follows from its fact's identity and from nothing else.

use events::{
    CheckIssued, Event, EventError, Fact, Order, OrderRef, Phase, ReceiptAsked, ShopId, Status,
    Webhook,
};
use proptest::prelude::*;
use uuid::Uuid;

use crate::arbitrary;

/// The fact as it would be told from another state of the same order, call or work.
fn seen_otherwise(fact: &Fact, other: Fact, snapshot: &Order) -> Fact {
    let mut fact = fact.clone();
    let order = |old: &Order| Order {
        key: OrderRef { number: snapshot.key.number.clone(), ..old.key.clone() },
        ..snapshot.clone()
    };
    match (&mut fact, other) {
        (Fact::WebhookReceived(webhook), other) => {
            let (call, shop) = (webhook.call, webhook.shop.clone());
            if let Fact::WebhookReceived(other) = other {
                *webhook = other;
            }
            webhook.name.push('x');
            webhook.order = Some(snapshot.key.clone());
            (webhook.call, webhook.shop) = (call, shop);
        }
        (Fact::ReceiptAsked(asked), _) => {
            asked.order = Some(snapshot.key.clone());
            asked.body.push('x');
        }
        (Fact::CheckIssued(issued), _) => {
            issued.document.push('1');
            issued.issued_at = snapshot.updated_at;
            issued.shift = None;
        }
        (Fact::StatusChanged(status), _) => {
            status.order = snapshot.key.clone();
            status.code.push('x');
            status.text.ru.push('x');
            status.text.en.push('x');
            status.properties.insert("x".to_owned(), String::new());
            status.links.insert("x".to_owned(), String::new());
        }
        (
            Fact::OrderCreated(fact)
            | Fact::OrderCompleted(fact)
            | Fact::OrderCancelled(fact)
            | Fact::OrderChanged(fact),
            _,
        ) => fact.order = order(&fact.order),
        (Fact::OrderPaid(fact), _) => fact.order = order(&fact.order),
        (Fact::OrderShipped(fact), _) => fact.order = order(&fact.order),
        (Fact::OrderReturned(fact), _) => {
            fact.order = order(&fact.order);
            fact.lines.pop();
        }
        (Fact::PaymentRefunded(fact), _) => {
            fact.order = order(&fact.order);
            fact.sum = snapshot.price;
        }
    }
    fact
}

/// Other facts than this one: each differs in one thing that belongs to its identity.
fn others(fact: &Fact) -> Vec<(&'static str, Fact)> {
    let edited = |name: &'static str, edit: &dyn Fn(&mut Fact)| {
        let mut other = fact.clone();
        edit(&mut other);
        (name, other)
    };
    match fact {
        Fact::WebhookReceived(_) => vec![
            edited("call", &|fact| change_uuid(&mut webhook(fact).call)),
            edited("shop", &|fact| change_shop(&mut webhook(fact).shop)),
        ],
        Fact::ReceiptAsked(_) => vec![
            edited("shop", &|fact| change_shop(&mut asked(fact).shop)),
            edited("name", &|fact| asked(fact).name.push('1')),
        ],
        Fact::CheckIssued(_) => vec![
            edited("shop", &|fact| change_shop(&mut issued(fact).shop)),
            edited("check", &|fact| change_uuid(&mut issued(fact).check)),
        ],
        Fact::StatusChanged(_) => vec![
            edited("service", &|fact| status(fact).service.push('x')),
            edited("cause", &|fact| change_uuid(&mut status(fact).cause)),
            edited("phase", &|fact| change_phase(&mut status(fact).phase)),
            edited("step", &|fact| status(fact).step.push('x')),
        ],
        about_order => {
            let key = |edit: &dyn Fn(&mut OrderRef)| {
                let mut other = about_order.clone();
                edit(&mut order(&mut other).key);
                other
            };
            let mut others = vec![
                ("shop", key(&|key| change_shop(&mut key.shop))),
                ("order", key(&|key| key.id ^= 1)),
                ("site", key(&|key| key.site = !key.site)),
                edited("occurrence", &|fact| *occurrence(fact) ^= 1),
            ];
            if part(&mut about_order.clone()).is_some() {
                others.push(edited("part", &|fact| {
                    part(fact).into_iter().for_each(|id| *id ^= 1);
                }));
            }
            others
        }
    }
}

fn webhook(fact: &mut Fact) -> &mut Webhook {
    match fact {
        Fact::WebhookReceived(webhook) => webhook,
        other => panic!("{other:?}"),
    }
}

fn asked(fact: &mut Fact) -> &mut ReceiptAsked {
    match fact {
        Fact::ReceiptAsked(asked) => asked,
        other => panic!("{other:?}"),
    }
}

fn issued(fact: &mut Fact) -> &mut CheckIssued {
    match fact {
        Fact::CheckIssued(issued) => issued,
        other => panic!("{other:?}"),
    }
}

fn status(fact: &mut Fact) -> &mut Status {
    match fact {
        Fact::StatusChanged(status) => status,
        other => panic!("{other:?}"),
    }
}

fn order(fact: &mut Fact) -> &mut Order {
    match fact {
        Fact::OrderCreated(fact)
        | Fact::OrderCompleted(fact)
        | Fact::OrderCancelled(fact)
        | Fact::OrderChanged(fact) => &mut fact.order,
        Fact::OrderPaid(fact) => &mut fact.order,
        Fact::OrderShipped(fact) => &mut fact.order,
        Fact::OrderReturned(fact) => &mut fact.order,
        Fact::PaymentRefunded(fact) => &mut fact.order,
        Fact::WebhookReceived(_)
        | Fact::StatusChanged(_)
        | Fact::ReceiptAsked(_)
        | Fact::CheckIssued(_) => panic!("no order: {fact:?}"),
    }
}

fn occurrence(fact: &mut Fact) -> &mut u32 {
    match fact {
        Fact::OrderCreated(fact)
        | Fact::OrderCompleted(fact)
        | Fact::OrderCancelled(fact)
        | Fact::OrderChanged(fact) => &mut fact.occurrence,
        Fact::OrderPaid(fact) => &mut fact.occurrence,
        Fact::OrderShipped(fact) => &mut fact.occurrence,
        Fact::OrderReturned(fact) => &mut fact.occurrence,
        Fact::PaymentRefunded(fact) => &mut fact.occurrence,
        Fact::WebhookReceived(_)
        | Fact::StatusChanged(_)
        | Fact::ReceiptAsked(_)
        | Fact::CheckIssued(_) => panic!("happens once: {fact:?}"),
    }
}

/// The payment or the shipment that it is about.
fn part(fact: &mut Fact) -> Option<&mut u64> {
    match fact {
        Fact::OrderPaid(fact) => Some(&mut fact.payment),
        Fact::OrderShipped(fact) => Some(&mut fact.shipment),
        Fact::PaymentRefunded(fact) => Some(&mut fact.payment),
        Fact::OrderCreated(_)
        | Fact::OrderCompleted(_)
        | Fact::OrderCancelled(_)
        | Fact::OrderChanged(_)
        | Fact::OrderReturned(_)
        | Fact::WebhookReceived(_)
        | Fact::StatusChanged(_)
        | Fact::ReceiptAsked(_)
        | Fact::CheckIssued(_) => None,
    }
}

fn change_uuid(uuid: &mut Uuid) {
    *uuid = Uuid::from_u128(uuid.as_u128() ^ 1);
}

fn change_shop(shop: &mut ShopId) {
    *shop = if shop.as_str() == "a" { "b" } else { "a" }.parse().unwrap();
}

fn change_phase(phase: &mut Phase) {
    *phase = match phase {
        Phase::Working => Phase::Retrying,
        Phase::Retrying => Phase::Done,
        Phase::Done => Phase::Failed,
        Phase::Failed => Phase::Unknown,
        Phase::Unknown => Phase::Working,
    };
}

proptest! {
    #[test]
    fn any_event_comes_back_from_its_text(event in arbitrary::event()) {
        let text = event.to_json().unwrap();
        let back = Event::from_json(text.as_bytes()).unwrap();
        prop_assert_eq!(&back, &event);
        prop_assert_eq!(back.to_json().unwrap(), text);
    }

    #[test]
    fn what_is_no_part_of_the_identity_does_not_change_the_id(
        event in arbitrary::event(),
        other in arbitrary::fact(),
        snapshot in arbitrary::order(),
        later in arbitrary::time(),
    ) {
        let told = Event::new(seen_otherwise(&event.fact, other, &snapshot), later);
        prop_assert_eq!(told.id(), event.id());
        prop_assert_eq!(Event::new(event.fact.clone(), event.time()), event);
    }

    #[test]
    fn what_is_part_of_the_identity_changes_the_id(event in arbitrary::event()) {
        let mut ids = vec![event.id()];
        for (what, other) in others(&event.fact) {
            let id = Event::new(other, event.time()).id();
            prop_assert!(!ids.contains(&id), "another {what}, the same id");
            ids.push(id);
        }
    }

    #[test]
    fn another_kind_of_fact_has_another_id(event in arbitrary::event()) {
        let time = event.time();
        if let Fact::OrderCreated(fact) | Fact::OrderCompleted(fact) | Fact::OrderCancelled(fact)
            = event.fact
        {
            let id = |fact| Event::new(fact, time).id();
            let created = id(Fact::OrderCreated(fact.clone()));
            let completed = id(Fact::OrderCompleted(fact.clone()));
            let cancelled = id(Fact::OrderCancelled(fact.clone()));
            let changed = id(Fact::OrderChanged(fact));
            let all = std::collections::BTreeSet::from([created, completed, cancelled, changed]);
            prop_assert_eq!(all.len(), 4);
        }
    }

    #[test]
    fn a_renewed_event_is_the_same_fact_about_a_newer_order(event in arbitrary::event()) {
        let Some(told) = event.fact.snapshot().cloned() else {
            return Ok(());
        };
        let newer = Order { updated_at: told.updated_at + time::Duration::SECOND, ..told.clone() };
        prop_assert_eq!(event.renewed(&told), None, "an order is not newer than itself");
        let older = Order { version: told.version.map(|version| version / 2), ..newer.clone() };
        if older.version != told.version {
            prop_assert_eq!(event.renewed(&older), None, "the version outweighs the clock");
        }
        let mut other = newer.clone();
        other.key.id ^= 1;
        prop_assert_eq!(event.renewed(&other), None, "another order");
        let whole = match &event.fact {
            Fact::OrderPaid(fact) => told.payment(fact.payment).is_some(),
            Fact::OrderShipped(fact) => told.shipment(fact.shipment).is_some(),
            _ => true,
        };
        match event.renewed(&newer) {
            Some(renewed) => {
                prop_assert!(whole);
                prop_assert_eq!(renewed.id(), event.id());
                prop_assert_eq!(renewed.time(), event.time());
                prop_assert_eq!(renewed.fact.snapshot(), Some(&newer));
                prop_assert_eq!(renewed.renewed(&newer), None, "nothing is newer now");
            }
            None => prop_assert!(!whole),
        }
    }

    #[test]
    fn an_edit_of_the_identity_without_the_id_is_refused(mut event in arbitrary::event()) {
        let (given, time) = (event.id(), event.time());
        for (what, other) in others(&event.fact) {
            event.fact = other;
            let read = Event::from_json(event.to_json().unwrap().as_bytes());
            let derived = Event::new(event.fact.clone(), time).id();
            match read {
                Err(EventError::ForeignId { given: g, derived: d }) => {
                    prop_assert_eq!((g, d), (given, derived), "{}", what);
                }
                other => prop_assert!(false, "{what}: {other:?}"),
            }
        }
    }

    #[test]
    fn an_id_that_does_not_follow_is_refused(event in arbitrary::event(), id in any::<u128>()) {
        let id = Uuid::from_u128(id).to_string();
        prop_assume!(id != event.id().to_string());
        let text = event.to_json().unwrap().replacen(&event.id().to_string(), &id, 1);
        let read = Event::from_json(text.as_bytes());
        prop_assert!(matches!(read, Err(EventError::ForeignId { .. })), "{read:?}");
    }
}
