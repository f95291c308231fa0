//! What undoes an earlier operation: capture, release, reversal.

use std::cmp::Reverse;

use uuid::Uuid;

use super::{
    Account, Book, Entries, Key, Kind, Lapse, Outcome, Past,
    book::{Case, Result},
};

impl Book {
    /// Spends a hold, whole or in part; the rest is released. A hold resolves once.
    pub(super) fn capture(&mut self, case: Case<'_>, of: &Key, amount: Option<i64>) -> Result {
        let hold = self.open_hold(of)?;
        let (id, held) = (hold.id, hold.applied);
        let amount = amount.unwrap_or(held);
        if amount > held {
            return Err(Outcome::ExceedsHold);
        }
        let mut entries = Entries::default();
        entries.shift(Account::Held, Account::Spent, amount);
        self.give_back(id, held - amount, Account::Held, case, &mut entries);
        if let Some(hold) = self.past.get_mut(of) {
            (hold.open, hold.captured) = (false, amount);
        }
        let past = Past {
            id: case.id,
            kind: Kind::Capture,
            asked: Some(amount),
            applied: amount,
            undone: 0,
            open: false,
            captured: 0,
            until: None,
            root: Some(of.clone()),
        };
        self.past.insert(case.key.clone(), past);
        self.cover(&mut entries);
        Ok((Outcome::Ok, amount, entries))
    }

    /// Releases an open hold, or gives a debit back (the register voids its receipt).
    pub(super) fn release(&mut self, case: Case<'_>, of: &Key, amount: Option<i64>) -> Result {
        let past = self.past.get(of).ok_or(Outcome::WrongReference)?;
        match past.kind {
            Kind::Hold => {
                let hold = self.open_hold(of)?;
                let (id, held) = (hold.id, hold.applied);
                match amount {
                    Some(amount) if amount > held => return Err(Outcome::ExceedsHold),
                    Some(amount) if amount < held => return Err(Outcome::AmountDiffers),
                    _ => {}
                }
                let entries = self.end_hold(of, id, held, case);
                Ok((Outcome::Ok, held, entries))
            }
            Kind::Debit => {
                // Named with the amount that was asked for, it means the whole of it.
                let amount = amount.filter(|_| amount != past.asked);
                self.undo_spending(case, of, amount, Outcome::AlreadyReleased)
            }
            _ => Err(Outcome::WrongReference),
        }
    }

    /// Undoes an accrual, a debit or a captured hold, whole or in part.
    pub(super) fn reverse(&mut self, case: Case<'_>, of: &Key, amount: Option<i64>) -> Result {
        let past = self.past.get(of).ok_or(Outcome::WrongReference)?;
        match (past.kind, past.root.clone()) {
            (Kind::Accrual, _) => self.undo_accrual(case, of, amount),
            (Kind::Debit | Kind::Hold, _) => {
                self.undo_spending(case, of, amount, Outcome::AlreadyReversed)
            }
            (Kind::Capture, Some(hold)) => {
                self.undo_spending(case, &hold, amount, Outcome::AlreadyReversed)
            }
            _ => Err(Outcome::WrongReference),
        }
    }

    /// Ends an open hold without a capture.
    pub(super) fn end_hold(&mut self, of: &Key, id: Uuid, held: i64, case: Case<'_>) -> Entries {
        let mut entries = Entries::default();
        self.give_back(id, held, Account::Held, case, &mut entries);
        if let Some(hold) = self.past.get_mut(of) {
            hold.open = false;
        }
        self.cover(&mut entries);
        entries
    }

    fn open_hold(&self, of: &Key) -> std::result::Result<&Past, Outcome> {
        let past = self.past.get(of).ok_or(Outcome::WrongReference)?;
        match past {
            Past { kind: Kind::Hold, open: true, .. } => Ok(past),
            Past { kind: Kind::Hold, applied: 0, .. } => Err(Outcome::NothingToUndo),
            Past { kind: Kind::Hold, captured: 0, .. } => Err(Outcome::AlreadyReleased),
            Past { kind: Kind::Hold, .. } => Err(Outcome::AlreadyCaptured),
            _ => Err(Outcome::WrongReference),
        }
    }

    fn undo_spending(
        &mut self,
        case: Case<'_>,
        of: &Key,
        amount: Option<i64>,
        spent_up: Outcome,
    ) -> Result {
        let past = self.past.get_mut(of).ok_or(Outcome::WrongReference)?;
        let spent = if past.kind == Kind::Hold { past.captured } else { past.applied };
        if past.open {
            return Err(Outcome::WrongReference);
        }
        let (amount, id) = (left(past, spent, amount, spent_up)?, past.id);
        past.undone += amount;
        let mut entries = Entries::default();
        let mut rest = amount;
        // What was never paid is not given back: its debt ends.
        for owed in self.owed.iter_mut().filter(|owed| owed.id == id) {
            let part = owed.amount.min(rest);
            owed.amount -= part;
            rest -= part;
            entries.shift(Account::Spent, Account::Debt, part);
        }
        self.give_back(id, rest, Account::Spent, case, &mut entries);
        self.cover(&mut entries);
        Ok((Outcome::Ok, amount, entries))
    }

    /// Takes earned points back: free ones, then expired ones (nobody had them); what was spent
    /// is owed.
    fn undo_accrual(&mut self, case: Case<'_>, of: &Key, amount: Option<i64>) -> Result {
        let past = self.past.get_mut(of).ok_or(Outcome::WrongReference)?;
        let (amount, id) = (left(past, past.applied, amount, Outcome::AlreadyReversed)?, past.id);
        let lot = self.lots.get_mut(&id).ok_or(Outcome::WrongReference)?;
        past.undone += amount;
        let mut entries = Entries::default();
        let free = lot.free.min(amount);
        let expired = lot.expired.min(amount - free);
        let owed = amount - free - expired;
        lot.free -= free;
        lot.expired -= expired;
        let home = if lot.matures_at.is_some() { Account::Pending } else { Account::Available };
        entries.shift(home, Account::Issued, free);
        entries.shift(Account::Expired, Account::Issued, expired);
        if owed > 0 {
            entries.shift(Account::Debt, Account::Issued, owed);
            self.owed.push(super::Owed { id: case.id, amount: owed, since: case.now });
            self.cover(&mut entries);
        }
        Ok((Outcome::Ok, amount, entries))
    }

    /// Gives what an operation took back to the lots it came from, the longest-lived first.
    fn give_back(
        &mut self,
        id: Uuid,
        amount: i64,
        from: Account,
        case: Case<'_>,
        entries: &mut Entries,
    ) {
        let mut lots: Vec<_> = self
            .takes
            .range((id, Uuid::nil())..=(id, Uuid::max()))
            .filter_map(|((_, lot), _)| Some((*lot, self.lots.get(lot)?)))
            .map(|(id, lot)| {
                (Reverse((lot.expires_at.is_none(), lot.expires_at, lot.effective_at, id)), id)
            })
            .collect();
        lots.sort_unstable();
        let mut rest = amount;
        for (_, lot_id) in lots {
            let (Some(lot), Some(taken)) =
                (self.lots.get_mut(&lot_id), self.takes.get_mut(&(id, lot_id)))
            else {
                continue;
            };
            let part = (*taken).min(rest);
            *taken -= part;
            rest -= part;
            let is_over = lot.expires_at.is_some_and(|at| at <= case.now);
            match case.lapse {
                Lapse::Burn if is_over => {
                    lot.expired += part;
                    entries.shift(from, Account::Expired, part);
                    continue;
                }
                Lapse::Grace(grace) if is_over && part > 0 => {
                    lot.expires_at = Some(case.now + grace);
                }
                _ => {}
            }
            lot.free += part;
            entries.shift(from, Account::Available, part);
        }
    }
}

/// How much is to be undone of an operation of which `whole` can be.
fn left(
    past: &Past,
    whole: i64,
    amount: Option<i64>,
    nothing: Outcome,
) -> std::result::Result<i64, Outcome> {
    match (whole - past.undone, amount) {
        _ if past.applied == 0 => Err(Outcome::NothingToUndo),
        (0, None) if whole == 0 => Err(Outcome::AlreadyReleased),
        (0, None) => Err(nothing),
        (left, Some(amount)) if amount > left => Err(Outcome::ExceedsOriginal),
        (left, amount) => Ok(amount.unwrap_or(left)),
    }
}
