//! What time alone does: points mature and expire, holds end.

use time::OffsetDateTime;
use uuid::Uuid;

use super::{Account, Book, Entries, Key, Lapse, OWN_SOURCE, What, book::Case};

/// Something that time did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Due {
    /// Its id: made of what happened, so that it happens once whoever notes it.
    pub id: Uuid,
    pub key: Key,
    pub what: What,
    pub at: OffsetDateTime,
    pub applied: i64,
    pub entries: Entries,
}

/// What comes next, in the order in which it is done when times are equal.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
enum Next {
    Mature(Uuid),
    End(Key),
    Expire(Uuid),
}

impl Book {
    /// Does everything whose time has come by `now`, in the order of time.
    pub(super) fn settle(&mut self, now: OffsetDateTime, lapse: Lapse) -> Vec<Due> {
        let mut done = Vec::new();
        while let Some((at, next)) = self.next_due().filter(|(at, _)| *at <= now) {
            done.push(match next {
                Next::Mature(lot) => self.mature(lot, at),
                Next::End(hold) => self.time_out(&hold, at, lapse),
                Next::Expire(lot) => self.expire(lot, at),
            });
        }
        done
    }

    fn next_due(&self) -> Option<(OffsetDateTime, Next)> {
        let full = || self.lots.iter().filter(|(_, lot)| lot.free > 0);
        let maturing = full().filter_map(|(id, lot)| Some((lot.matures_at?, Next::Mature(*id))));
        let expiring = full()
            .filter(|(_, lot)| lot.matures_at.is_none())
            .filter_map(|(id, lot)| Some((lot.expires_at?, Next::Expire(*id))));
        let ending = self
            .past
            .iter()
            .filter(|(_, past)| past.open)
            .filter_map(|(key, past)| Some((past.until?, Next::End(key.clone()))));
        maturing.chain(expiring).chain(ending).min()
    }

    fn mature(&mut self, id: Uuid, at: OffsetDateTime) -> Due {
        let mut entries = Entries::default();
        let mut applied = 0;
        if let Some(lot) = self.lots.get_mut(&id) {
            (lot.matures_at, applied) = (None, lot.free);
            entries.shift(Account::Pending, Account::Available, applied);
        }
        self.cover(&mut entries);
        due(format!("maturity:{id}"), What::Maturity { lot: id }, at, applied, entries)
    }

    fn expire(&mut self, id: Uuid, at: OffsetDateTime) -> Due {
        let mut entries = Entries::default();
        let mut applied = 0;
        if let Some(lot) = self.lots.get_mut(&id) {
            applied = std::mem::take(&mut lot.free);
            lot.expired += applied;
            entries.shift(Account::Available, Account::Expired, applied);
        }
        // A lot that lives on after a return expires again, so its time is part of the name.
        let name = format!("expiry:{id}:{}", at.unix_timestamp());
        due(name, What::Expiry { lot: id }, at, applied, entries)
    }

    fn time_out(&mut self, of: &Key, at: OffsetDateTime, lapse: Lapse) -> Due {
        let (id, held) = self.past.get(of).map_or((Uuid::nil(), 0), |past| (past.id, past.applied));
        let key = Key::new(OWN_SOURCE, format!("timeout:{id}"));
        let case = Case { id: derived(&key), key: &key, effective_at: at, now: at, lapse };
        let entries = self.end_hold(of, id, held, case);
        due(key.external_id, What::Release { of: of.clone(), amount: None }, at, held, entries)
    }
}

fn due(name: String, what: What, at: OffsetDateTime, applied: i64, entries: Entries) -> Due {
    let key = Key::new(OWN_SOURCE, name);
    Due { id: derived(&key), key, what, at, applied, entries }
}

fn derived(key: &Key) -> Uuid {
    const SPACE: Uuid = Uuid::from_u128(0x1d5c_5c0e_33f4_4f3e_8a55_90bf_71c3_0e0b);
    Uuid::new_v5(&SPACE, key.external_id.as_bytes())
}
