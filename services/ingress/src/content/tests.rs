//! What makes a snapshot newer, and what is no change.

use time::Duration;

use super::*;
use crate::diff::tests::order;

fn age(change: impl FnOnce(&mut Order), sequences: (Option<u64>, Option<u64>)) -> Age {
    let stored = order();
    let mut other = order();
    change(&mut other);
    Stamp::of(&other, sequences.1).against(&Stamp::of(&stored, sequences.0))
}

#[test]
fn the_shops_counters_decide() {
    let none = (None, None);
    assert_eq!(age(|_| (), none), Age::Same);
    assert_eq!(age(|order| order.version = Some(2), none), Age::Newer);
    assert_eq!(age(|order| order.version = Some(0), none), Age::Older);
    // The version outweighs the time.
    let older = |order: &mut Order| {
        order.version = Some(0);
        order.updated_at += Duration::hours(1);
    };
    assert_eq!(age(older, none), Age::Older);
    assert_eq!(age(|order| order.updated_at += Duration::SECOND, none), Age::Newer);
    assert_eq!(age(|order| order.updated_at -= Duration::SECOND, none), Age::Older);
    assert_eq!(age(|order| order.version = None, none), Age::Same);
    assert_eq!(age(|order| order.status = "P".into(), none), Age::Unclear);
    assert_eq!(age(|order| order.status = "P".into(), (Some(1), Some(2))), Age::Newer);
    assert_eq!(age(|order| order.status = "P".into(), (Some(2), Some(1))), Age::Older);
    assert_eq!(age(|order| order.status = "P".into(), (None, Some(1))), Age::Unclear);
}

#[test]
fn what_facts_tell_is_no_change_of_the_order_and_what_people_write_is() {
    let changed = |change: &dyn Fn(&mut Order)| {
        let mut other = order();
        change(&mut other);
        is_changed(&order(), &other)
    };
    let now = order().created_at;
    assert!(!changed(&|order| order.status = "F".into()));
    assert!(!changed(&|order| order.canceled = true));
    assert!(!changed(&|order| order.updated_at += Duration::DAY));
    assert!(!changed(&|order| order.payments[0].state = PaymentState::Paid));
    assert!(!changed(&|order| order.payments[0].paid_at = Some(now)));
    assert!(!changed(&|order| order.shipments[0].deducted = true));
    assert!(!changed(&|order| drop(order.properties.insert("CLOUDKASSIR_FN".into(), "1".into()))));
    assert!(changed(&|order| order.buyer.email = Some("buyer@example.com".into())));
    assert!(changed(&|order| order.lines[0].vat = events::Vat::V10));
    assert!(changed(&|order| order.lines[0].properties = [("GTIN".into(), "1".into())].into()));
    assert!(changed(&|order| order.payments[0].sum = events::Money::from_kopecks(1)));
    assert!(changed(&|order| drop(order.shipments.pop())));
    assert!(changed(&|order| drop(order.properties.insert("INN".into(), "1".into()))));
}

#[test]
fn what_parom_writes_is_no_change() {
    let same = |change: &dyn Fn(&mut Order)| {
        let mut other = order();
        change(&mut other);
        hash(&other) == hash(&order())
    };
    assert!(same(&|order| order.version = Some(9)));
    assert!(same(&|order| order.updated_at += Duration::DAY));
    assert!(same(&|order| drop(order.properties.insert("CLOUDKASSIR_FN".into(), "1".into()))));
    assert!(same(&|order| order.payments.reverse()));
    assert!(same(&|order| order.lines.reverse()));
    assert!(!same(&|order| drop(order.properties.insert("INN".into(), "1".into()))));
    assert!(!same(&|order| order.status = "P".into()));
    assert!(!same(&|order| order.payments[0].state = PaymentState::Paid));
}
