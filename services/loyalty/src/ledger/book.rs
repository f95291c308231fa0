//! One customer's points, and what an operation does to them.

use std::collections::BTreeMap;

use time::OffsetDateTime;
use uuid::Uuid;

use super::{Account, Beyond, Entries, Key, Kind, Lapse, Outcome, What};

/// Points that were earned together and expire together.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lot {
    /// How many there were.
    pub granted: i64,
    /// How many can be spent, now or when they mature.
    pub free: i64,
    /// How many expired.
    pub expired: i64,
    /// When they mature; `None` when they have.
    pub matures_at: Option<OffsetDateTime>,
    /// When they expire; never without.
    pub expires_at: Option<OffsetDateTime>,
    /// When they were earned.
    pub effective_at: OffsetDateTime,
}

/// Points spent that nobody had, or taken back when they were spent already.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Owed {
    /// The operation that owes them.
    pub id: Uuid,
    /// How many are still owed.
    pub amount: i64,
    /// Since when; the oldest is covered first.
    pub since: OffsetDateTime,
}

/// An earlier operation that later ones may refer to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Past {
    /// Its id; also its lot's, if it made one.
    pub id: Uuid,
    /// Its kind.
    pub kind: Kind,
    /// How many were asked for.
    pub asked: Option<i64>,
    /// How many moved.
    pub applied: i64,
    /// How many of them were undone; of a hold, of its captured part.
    pub undone: i64,
    /// A hold that is neither captured nor released.
    pub open: bool,
    /// How much of a hold was captured.
    pub captured: i64,
    /// When an open hold ends by itself.
    pub until: Option<OffsetDateTime>,
    /// The hold that a capture belongs to.
    pub root: Option<Key>,
}

/// One customer's points.
///
/// Only lots with something free, or touched by what is to be undone, need to be here; of open
/// holds and debts, all.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Book {
    /// Lots by the id of the operation that made them.
    pub lots: BTreeMap<Uuid, Lot>,
    /// What an operation has taken from a lot and not given back: (operation, lot) to kopecks.
    pub takes: BTreeMap<(Uuid, Uuid), i64>,
    /// Debts.
    pub owed: Vec<Owed>,
    /// Operations that may be referred to.
    pub past: BTreeMap<Key, Past>,
}

/// The circumstances of an operation.
#[derive(Debug, Clone, Copy)]
pub(super) struct Case<'a> {
    pub id: Uuid,
    pub key: &'a Key,
    pub effective_at: OffsetDateTime,
    pub now: OffsetDateTime,
    pub lapse: Lapse,
}

/// What an operation came to: how many kopecks moved, and the entries.
pub(super) type Result = std::result::Result<(Outcome, i64, Entries), Outcome>;

impl Book {
    /// Carries out one operation; the book is changed only when the outcome is a done one.
    ///
    /// Call [`Book::settle`] before, so that nothing overdue is spent.
    pub(super) fn apply(&mut self, case: Case<'_>, what: &What) -> (Outcome, i64, Entries) {
        let result = match what {
            What::Accrual { amount, matures_at, expires_at } => {
                let from = Account::Issued;
                Ok(self.grant(case, Kind::Accrual, *amount, from, (*matures_at, *expires_at)))
            }
            What::Debit { amount, beyond } => self.debit(case, *amount, *beyond),
            What::Hold { amount, until } => self.hold(case, *amount, *until),
            What::Capture { of, amount } => self.capture(case, of, *amount),
            What::Release { of, amount } => self.release(case, of, *amount),
            What::Reversal { of, amount } => self.reverse(case, of, *amount),
            What::Adjustment { amount, expires_at } if *amount > 0 => {
                let from = Account::Adjusted;
                Ok(self.grant(case, Kind::Adjustment, *amount, from, (None, *expires_at)))
            }
            What::Adjustment { amount, .. } => self.take_away(case, amount.saturating_neg()),
            // Made by time alone, see `settle`.
            What::Maturity { .. } | What::Expiry { .. } => Err(Outcome::WrongReference),
        };
        result.unwrap_or_else(|refused| (refused, 0, Entries::default()))
    }

    /// Kopecks that can be spent now.
    #[must_use]
    pub fn available(&self) -> i64 {
        self.lots.values().filter(|lot| lot.matures_at.is_none()).map(|lot| lot.free).sum()
    }

    /// Kopecks that cannot be spent yet.
    #[must_use]
    pub fn pending(&self) -> i64 {
        self.lots.values().filter(|lot| lot.matures_at.is_some()).map(|lot| lot.free).sum()
    }

    /// Kopecks promised to open holds.
    #[must_use]
    pub fn held(&self) -> i64 {
        self.past.values().filter(|past| past.open).map(|past| past.applied).sum()
    }

    /// Kopecks owed.
    #[must_use]
    pub fn debt(&self) -> i64 {
        self.owed.iter().map(|owed| owed.amount).sum()
    }

    fn grant(
        &mut self,
        case: Case<'_>,
        kind: Kind,
        amount: i64,
        from: Account,
        (matures_at, expires_at): (Option<OffsetDateTime>, Option<OffsetDateTime>),
    ) -> (Outcome, i64, Entries) {
        let matures_at = matures_at.filter(|at| *at > case.now);
        let lot = Lot {
            granted: amount,
            free: amount,
            expired: 0,
            matures_at,
            expires_at,
            effective_at: case.effective_at,
        };
        let to = if matures_at.is_some() { Account::Pending } else { Account::Available };
        let mut entries = Entries::default();
        entries.shift(from, to, amount);
        self.lots.insert(case.id, lot);
        self.note(case, kind, Some(amount), amount);
        self.cover(&mut entries);
        (Outcome::Ok, amount, entries)
    }

    fn debit(&mut self, case: Case<'_>, amount: i64, beyond: Beyond) -> Result {
        let there = self.available();
        let short = (amount - there).max(0);
        let (outcome, applied, owed) = match beyond {
            _ if short == 0 => (Outcome::Ok, amount, 0),
            Beyond::Allow(limit) if self.debt().saturating_add(short) <= limit => {
                (Outcome::OkOverdraft, amount, short)
            }
            Beyond::Part if there > 0 => (Outcome::Partial, there, 0),
            _ => return Err(Outcome::InsufficientBalance),
        };
        let mut entries = Entries::default();
        self.take(case.id, applied - owed, Account::Spent, &mut entries);
        if owed > 0 {
            entries.shift(Account::Debt, Account::Spent, owed);
            self.owed.push(Owed { id: case.id, amount: owed, since: case.now });
        }
        self.note(case, Kind::Debit, Some(amount), applied);
        Ok((outcome, applied, entries))
    }

    fn hold(&mut self, case: Case<'_>, amount: i64, until: OffsetDateTime) -> Result {
        if amount > self.available() {
            return Err(Outcome::InsufficientBalance);
        }
        let mut entries = Entries::default();
        self.take(case.id, amount, Account::Held, &mut entries);
        let past = self.note(case, Kind::Hold, Some(amount), amount);
        (past.open, past.until) = (true, Some(until));
        Ok((Outcome::Ok, amount, entries))
    }

    fn take_away(&mut self, case: Case<'_>, amount: i64) -> Result {
        if amount > self.available() {
            return Err(Outcome::InsufficientBalance);
        }
        let mut entries = Entries::default();
        self.take(case.id, amount, Account::Adjusted, &mut entries);
        self.note(case, Kind::Adjustment, Some(-amount), amount);
        Ok((Outcome::Ok, amount, entries))
    }

    /// Remembers the operation for those that will refer to it.
    fn note(&mut self, case: Case<'_>, kind: Kind, asked: Option<i64>, applied: i64) -> &mut Past {
        let past = Past {
            id: case.id,
            kind,
            asked,
            applied,
            undone: 0,
            open: false,
            captured: 0,
            until: None,
            root: None,
        };
        let entry = self.past.entry(case.key.clone());
        entry.insert_entry(past).into_mut()
    }

    /// Takes free points out of the lots that expire first. There must be as many.
    pub(super) fn take(&mut self, id: Uuid, amount: i64, to: Account, entries: &mut Entries) {
        let mut rest = amount;
        for lot_id in self.spend_order() {
            let Some(lot) = self.lots.get_mut(&lot_id) else { continue };
            let part = lot.free.min(rest);
            if part > 0 {
                lot.free -= part;
                rest -= part;
                *self.takes.entry((id, lot_id)).or_default() += part;
            }
        }
        entries.shift(Account::Available, to, amount - rest);
    }

    /// Mature lots, those that expire first before the others.
    pub(super) fn spend_order(&self) -> Vec<Uuid> {
        let mature = self.lots.iter().filter(|(_, lot)| lot.matures_at.is_none());
        let mut order: Vec<_> = mature
            .map(|(id, lot)| {
                ((lot.expires_at.is_none(), lot.expires_at, lot.effective_at, *id), *id)
            })
            .collect();
        order.sort_unstable();
        order.into_iter().map(|(_, id)| id).collect()
    }

    /// Free points go to the oldest debts: what is owed becomes what was taken.
    pub(super) fn cover(&mut self, entries: &mut Entries) {
        self.owed.sort_by_key(|owed| (owed.since, owed.id));
        for place in 0..self.owed.len() {
            let free = self.available();
            let Some(owed) = self.owed.get_mut(place) else { break };
            let part = owed.amount.min(free);
            if part > 0 {
                owed.amount -= part;
                let id = owed.id;
                self.take(id, part, Account::Debt, entries);
            }
        }
    }
}
