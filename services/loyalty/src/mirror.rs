//! Our copy and 1C's: what nobody's job tells 1C is told, and balances are compared.

use std::time::Duration;

use futures_util::TryStreamExt as _;
use runtime::{Kit, Worker};
use serde_json::json;
use time::OffsetDateTime;
use uuid::Uuid;

use crate::{
    Loyalty,
    config::Master,
    ledger::{Key, Note, OWN_SOURCE, Request, What},
    onec::{self, OneC, Word},
    store::{Difference, Fate, Store, Untold, kinds},
};

/// Customers whose balance is compared in one round.
const COMPARED: i64 = 100;
/// Balances that 1C is asked for at once.
const AT_ONCE: usize = 4;
/// Operations that 1C is told in one round.
const TOLD: usize = 500;
/// How long something that is withdrawn may still be on its way to 1C.
const ON_ITS_WAY: Duration = Duration::from_secs(3600);

/// 1C's side of the ledger. Apart from the ticks: a 1C that takes its time keeps no hold from
/// ending.
pub(crate) struct Mirror {
    pub kit: Kit,
    pub store: Store,
    pub onec: OneC,
    pub master: Master,
    pub tick: Duration,
    pub compare_after: Duration,
}

/// Why a round ends early.
enum Stopped {
    /// There is no connection with 1C.
    Away,
    Store(sqlx::Error),
}

impl From<sqlx::Error> for Stopped {
    fn from(error: sqlx::Error) -> Self {
        Self::Store(error)
    }
}

impl Mirror {
    /// Tells and compares until the process is to stop.
    pub(crate) async fn run(&self) {
        tokio::join!(self.tellings(), self.comparisons());
    }

    async fn tellings(&self) {
        if self.master != Master::OneC {
            return;
        }
        loop {
            if let Err(error) = self.tell().await {
                tracing::warn!(%error, "1C is not told what waited");
            }
            if !self.kit.pause(self.tick).await {
                return;
            }
        }
    }

    async fn comparisons(&self) {
        loop {
            if let Err(error) = self.compare().await {
                tracing::warn!(%error, "balances are not compared");
            }
            if !self.kit.pause(self.tick).await {
                return;
            }
        }
    }

    async fn tell(&self) -> sqlx::Result<()> {
        for _ in 0..TOLD {
            let found = self.store.tell_next(async |untold| self.tell_one(untold).await).await?;
            if !found || self.kit.shutdown().is_cancelled() {
                break;
            }
        }
        Ok(())
    }

    async fn tell_one(&self, untold: &Untold) -> Fate {
        let Err(error) = self.onec.tell(&Word::from(untold), untold.phone).await else {
            return Fate::Told;
        };
        tracing::warn!(%error, operation = %untold.key, "1C is not told what waited");
        fate(&error, untold, self.store.now() - untold.since)
    }

    /// Compares balances that changed with 1C's. A difference is put before a person; where 1C is
    /// the master, ours is brought to it. One that 1C does not tell keeps no
    /// other back.
    async fn compare(&self) -> sqlx::Result<()> {
        let round = self.store.unchecked(self.compare_after, COMPARED).await?;
        let each = futures_util::stream::iter(round.into_iter().map(Ok));
        match each.try_for_each_concurrent(AT_ONCE, |ours| self.compare_one(ours)).await {
            Ok(()) | Err(Stopped::Away) => Ok(()),
            Err(Stopped::Store(error)) => Err(error),
        }
    }

    async fn compare_one(&self, ours: Difference) -> Result<(), Stopped> {
        match theirs(&self.onec, &ours.phones).await {
            Ok(theirs) => self.settle(&ours, theirs).await?,
            Err(error) => {
                tracing::warn!(%error, customer = ours.customer, "a balance is not compared");
                if error.is_not_sent() {
                    return Err(Stopped::Away);
                }
                self.store.not_checked(ours.customer).await?;
            }
        }
        Ok(())
    }

    async fn settle(&self, ours: &Difference, theirs: i64) -> sqlx::Result<()> {
        if ours.posted != theirs {
            let details = json!({"ours_kopecks": ours.posted, "theirs_kopecks": theirs});
            let subject = ours.customer.to_string();
            if self.store.raise(kinds::BALANCE_DIFFERS, &subject, &details).await? {
                tracing::warn!(customer = ours.customer, "1C has another balance");
            }
            // What is held or pending here cannot be taken now: the next change brings us back.
            let amount = (theirs - ours.posted).max(-ours.available);
            if self.master == Master::OneC && amount != 0 {
                for answer in
                    self.store.apply(vec![correction(ours, amount, self.store.now())]).await
                {
                    answer?;
                }
            }
        }
        self.store.checked(ours.customer, ours.updated_at).await
    }
}

/// The balance of a customer, whom 1C knows by one of his phones; 0 where it knows him by none.
async fn theirs(onec: &OneC, phones: &[String]) -> Result<i64, onec::Error> {
    for phone in phones.iter().filter_map(|phone| phone.parse().ok()) {
        match onec.balance(phone).await {
            Err(onec::Error::UnknownCustomer) => {}
            answer => return answer,
        }
    }
    Ok(0)
}

/// Brings our balance to 1C's. Named by what was compared, so that it is made once.
fn correction(ours: &Difference, amount: i64, now: OffsetDateTime) -> Request {
    let stamp = ours.updated_at.unix_timestamp_nanos();
    let name = format!("1c:{}:{stamp}", ours.customer);
    Request {
        id: Uuid::now_v7(),
        key: Key::new(OWN_SOURCE, name),
        what: What::Adjustment { amount, expires_at: None },
        phone: None,
        customer: Some(ours.customer),
        effective_at: now,
        note: Note {
            author: Some("parom".to_owned()),
            reason: Some("1C is the master and has another balance".to_owned()),
            ..Note::default()
        },
    }
}

/// What becomes of an operation that 1C has not taken, untold for so long.
fn fate(error: &onec::Error, untold: &Untold, age: time::Duration) -> Fate {
    use onec::Error as E;
    let refused = || Fate::Refused(error.to_string());
    match error {
        // 1C has it no more, or never had it.
        E::Refused(_) | E::UnknownCustomer if untold.withdraws => Fate::Told,
        E::TooEarly if untold.withdraws && age > ON_ITS_WAY => Fate::Told,
        E::Refused(_) => refused(),
        // 1C may come to know him, or what is referred to, as we did.
        E::UnknownCustomer | E::TooEarly | E::NoPhone if age > <Loyalty as Worker>::GIVE_UP => {
            refused()
        }
        _ => Fate::Later,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ledger::Kind;

    #[test]
    fn what_1c_does_not_take_is_told_again_or_put_before_a_person() {
        use onec::Error as E;
        let untold = |withdraws| Untold {
            id: Uuid::nil(),
            key: Key::new("shop:acme", "portal-1:accrual:1"),
            kind: Kind::Accrual,
            amount: Some(1),
            reference: None,
            order: None,
            at: OffsetDateTime::UNIX_EPOCH,
            until: None,
            phone: None,
            withdraws,
            since: OffsetDateTime::UNIX_EPOCH,
            told: false,
        };
        let (soon, week) = (time::Duration::minutes(1), time::Duration::days(8));
        let no = || E::Refused("no".to_owned());
        let refused = |error: &E| Fate::Refused(error.to_string());
        for (error, withdraws, age, expected) in [
            (E::NotSent, false, week, Fate::Later),
            (E::NoAnswer(String::new()), true, week, Fate::Later),
            (E::TooEarly, false, soon, Fate::Later),
            (E::TooEarly, false, week, refused(&E::TooEarly)),
            (E::TooEarly, true, soon, Fate::Later),
            (E::TooEarly, true, week, Fate::Told),
            (E::UnknownCustomer, false, soon, Fate::Later),
            (E::UnknownCustomer, true, soon, Fate::Told),
            (no(), false, soon, refused(&no())),
            (no(), true, soon, Fate::Told),
        ] {
            assert_eq!(
                fate(&error, &untold(withdraws), age),
                expected,
                "{error} {withdraws} {age}"
            );
        }
    }
}
