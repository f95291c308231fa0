//! The ledger's laws, over random operations, repeats and interleavings.

use std::{collections::BTreeMap, time::Duration};

use loyalty::ledger::{
    Account, Beyond, Book, Desk, Found, Key, Kind, Lapse, Note, Record, Request, What,
};
use proptest::prelude::*;
use time::{OffsetDateTime, macros::datetime};
use uuid::Uuid;

use crate::model::Model;

pub(crate) const START: OffsetDateTime = datetime!(2026-01-10 10:00 UTC);
const NAMES: i64 = 14;

/// A request under a name that tells which operation it is.
pub(crate) fn request(id: usize, name: &str, what: What) -> Request {
    Request {
        id: Uuid::from_u128(u128::try_from(id).unwrap()),
        key: key(name),
        what,
        phone: Some("+79161234567".parse().unwrap()),
        customer: None,
        effective_at: START,
        note: Note::default(),
    }
}

pub(crate) fn key(name: &str) -> Key {
    Key::new("1c_retail", name)
}

pub(crate) fn desk() -> Desk {
    let phones = BTreeMap::from([("+79161234567".to_owned(), Found::One(1))]);
    Desk { phones, ..Desk::default() }
}

/// Operations of a few names, so that repeats, conflicts and references are frequent.
fn operation() -> impl Strategy<Value = (String, What)> {
    let amount = 1_i64..400;
    let maybe = prop_oneof![Just(None), (1_i64..400).prop_map(Some)];
    let beyond =
        prop_oneof![Just(Beyond::Refuse), Just(Beyond::Part), (0_i64..500).prop_map(Beyond::Allow)];
    let what = prop_oneof![
        3 => amount.clone().prop_map(|amount| What::Accrual { amount, matures_at: None, expires_at: None }),
        2 => (amount.clone(), beyond).prop_map(|(amount, beyond)| What::Debit { amount, beyond }),
        2 => amount.prop_map(|amount| What::Hold { amount, until: START + Duration::from_secs(86_400_000) }),
        2 => (0..NAMES, maybe.clone()).prop_map(|(of, amount)| What::Capture { of: key(&of.to_string()), amount }),
        2 => (0..NAMES, maybe.clone()).prop_map(|(of, amount)| What::Release { of: key(&of.to_string()), amount }),
        3 => (0..NAMES, maybe).prop_map(|(of, amount)| What::Reversal { of: key(&of.to_string()), amount }),
    ];
    (0..NAMES, what).prop_map(|(name, what)| (name.to_string(), what))
}

/// What must hold after whatever was done.
pub(crate) fn check(book: &Book, records: &[Record]) {
    let sum = |account| records.iter().map(|record| record.entries.of(account)).sum::<i64>();
    for record in records {
        assert_eq!(record.entries.iter().map(|(_, amount)| amount).sum::<i64>(), 0, "{record:?}");
    }
    assert_eq!(sum(Account::Available), book.available(), "the journal and the lots agree");
    assert_eq!(sum(Account::Pending), book.pending());
    assert_eq!(sum(Account::Held), book.held());
    assert_eq!(sum(Account::Debt), -book.debt());
    assert!(book.available() == 0 || book.debt() == 0, "debts are covered first");
    assert!(book.lots.values().all(|lot| lot.free >= 0 && lot.expired >= 0));
    assert!(book.takes.values().all(|taken| *taken >= 0));
    for past in book.past.values() {
        let taken: i64 =
            book.takes.iter().filter(|((id, _), _)| *id == past.id).map(|(_, taken)| taken).sum();
        let owed: i64 =
            book.owed.iter().filter(|owed| owed.id == past.id).map(|owed| owed.amount).sum();
        let spent = match past.kind {
            Kind::Debit => past.applied - past.undone,
            Kind::Hold if past.open => past.applied,
            Kind::Hold => past.captured - past.undone,
            _ => continue,
        };
        assert_eq!(taken + owed, spent, "{past:?}");
        assert!((0..=past.applied).contains(&past.undone), "{past:?}");
    }
}

proptest! {
    #[test]
    fn the_ledger_says_what_the_sheet_of_paper_says(
        operations in prop::collection::vec(operation(), 1..40),
    ) {
        let (mut desk, mut model) = (desk(), Model::default());
        for (number, (name, what)) in operations.iter().enumerate() {
            if what.of() == Some(&key(name)) {
                continue;
            }
            let asked = request(number + 1, name, what.clone());
            let answer = desk.handle(&asked, START, Lapse::Burn);
            prop_assert_eq!(answer.word(), model.apply(name, what), "{} {:?}", name, what);
            let book = desk.books.entry(1).or_default().clone();
            check(&book, &desk.records);
            prop_assert_eq!(
                (book.available(), book.held(), book.debt()),
                (model.available(), model.held, model.debt())
            );
        }
    }

    #[test]
    fn a_repeat_of_any_prefix_changes_nothing(
        operations in prop::collection::vec(operation(), 1..30),
        prefix in 0_usize..30,
    ) {
        let mut desk = desk();
        let asked: Vec<Request> = operations.iter().enumerate()
            .filter(|(_, (name, what))| what.of() != Some(&key(name)))
            .map(|(number, (name, what))| request(number + 1, name, what.clone()))
            .collect();
        for request in &asked {
            desk.handle(request, START, Lapse::Burn);
        }
        let (before, lines) = (desk.books.clone(), desk.records.len());
        for request in asked.iter().take(prefix) {
            desk.handle(request, START, Lapse::Burn);
        }
        prop_assert_eq!(&before, &desk.books);
        prop_assert_eq!(lines, desk.records.len());
    }

    #[test]
    fn accruals_commute(amounts in prop::collection::vec(1_i64..1000, 1..20), seed in any::<u64>()) {
        let run = |amounts: &[(usize, i64)]| {
            let mut desk = desk();
            for (number, amount) in amounts {
                let what = What::Accrual { amount: *amount, matures_at: None, expires_at: None };
                desk.handle(&request(*number + 1, &number.to_string(), what), START, Lapse::Burn);
            }
            desk.books
        };
        let straight: Vec<_> = amounts.iter().copied().enumerate().collect();
        let mut turned = straight.clone();
        turned.sort_by_key(|(number, _)| u64::try_from(*number).unwrap().wrapping_mul(seed | 1));
        prop_assert_eq!(run(&straight), run(&turned));
    }

    /// With maturity, expiry and time-outs, whatever the clock does between two operations.
    #[test]
    fn nothing_is_lost_over_time(
        operations in prop::collection::vec((operation(), 0_i64..20, 0_i64..40, any::<bool>()), 1..40),
        burn in any::<bool>(),
    ) {
        let lapse = if burn { Lapse::Burn } else { Lapse::Grace(Duration::from_secs(5 * 86_400)) };
        let day = |days: i64| time::Duration::days(days);
        let (mut desk, mut now) = (desk(), START);
        for (number, ((name, what), wait, life, pending)) in operations.into_iter().enumerate() {
            now += day(wait);
            let what = match what {
                What::Accrual { amount, .. } => What::Accrual {
                    amount,
                    matures_at: pending.then_some(now + day(3)),
                    expires_at: Some(now + day(4 + life)),
                },
                What::Hold { amount, .. } => What::Hold { amount, until: now + day(life) },
                what => what,
            };
            if what.of() != Some(&key(&name)) {
                desk.handle(&request(number + 1, &name, what), now, lapse);
                desk.settle(now, lapse);
                check(desk.books.entry(1).or_default(), &desk.records);
            }
        }
        desk.settle(now + day(1000), lapse);
        check(desk.books.entry(1).or_default(), &desk.records);
        let book = &desk.books[&1];
        prop_assert_eq!((book.available(), book.pending(), book.held()), (0, 0, 0));
    }
}
