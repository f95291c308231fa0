//! Keeping what was asked for, telling it to our own queue, and noting what became of it.

use std::time::Duration;

use events::{Event, Fact, OrderRef, ShopId};
use runtime::{Class, Failure, Next, Parts, Reason, Step};
use sha2::{Digest as _, Sha256};
use uuid::Uuid;

use super::Asked;
use crate::{
    Fiscal,
    plan::Plan,
    receipt::Refusal,
    registers::{Naming, Unwritable},
    state::State,
    store::{Asking, LedgerError, Request, RequestState, Told},
    subject::Subject,
    words,
};

/// After how long an event whose job has not begun is told again.
const RETELL: Duration = Duration::from_secs(30);

/// What became of asking.
#[derive(Debug)]
pub(crate) enum Taken {
    /// It is on its way, told by the event with this id.
    New(Uuid),
    /// It was asked for before.
    Known(Box<Request>),
}

/// Why nothing was asked for.
#[derive(Debug)]
pub(crate) enum Trouble {
    /// It cannot be done: why.
    Refused(Box<Reason>),
    /// Something else was asked for under this key.
    Other,
    /// PostgreSQL does not answer: ask again.
    Away,
}

impl From<sqlx::Error> for Trouble {
    fn from(error: sqlx::Error) -> Self {
        tracing::warn!(%error, "what was asked for is not kept");
        Self::Away
    }
}

impl Fiscal {
    /// Keeps what is asked for, if it can be done, and tells it. It is durable when this returns.
    pub(crate) async fn ask(
        &self,
        shop: &ShopId,
        order: Option<&OrderRef>,
        asked: &Asked,
        part: u32,
    ) -> Result<Taken, Trouble> {
        let key = asked.key(order, part);
        let make = |occurrence| asked.event(shop, order, (&key, occurrence), self.now());
        let first = make(1).map_err(|error| sqlx::Error::Encode(Box::new(error)))?;
        let known = self.outside.requests.find(shop, &key).await?;
        // What is known already is answered as it is, whatever is in the ledger by now.
        if known.is_none_or(|known| known.state == RequestState::Stopped) {
            self.try_out(shop, &first, asked).await?;
        }
        let digest = Sha256::digest(serde_json::to_vec(asked).unwrap_or_default());
        let asking = Asking { shop, key: &key, digest: &digest };
        match self.outside.requests.ask(asking, make).await? {
            Told::Known(request) => Ok(Taken::Known(Box::new(request))),
            Told::Other(_) => Err(Trouble::Other),
            Told::New(event) => {
                if let Err(error) = (self.outside.tell)((*event).clone()).await {
                    tracing::warn!(%error, "what was asked for is kept and told later");
                }
                Ok(Taken::New(event.id()))
            }
        }
    }

    /// Whether it could be done now: planned and written for the shop's register, without effect.
    async fn try_out(&self, shop: &ShopId, event: &Event, asked: &Asked) -> Result<(), Trouble> {
        let refused = |reason: &Reason| Trouble::Refused(Box::new(reason.clone()));
        let subject = Subject::of(event).ok_or(Trouble::Away)?;
        let desk = self.shops.get(shop);
        let desk = desk.ok_or_else(|| refused(words::shop_unknown(&subject).reason()))?;
        let entries =
            self.outside.ledgers.entries(&subject).await.map_err(|error| match error {
                LedgerError::Database(error) => Trouble::from(error),
                LedgerError::Entry(_) => refused(words::ledger_away(&subject, &error).reason()),
            })?;
        let planned = asked.plan(&entries).map_err(|refusal: Refusal| {
            let text = refusal.text(&subject);
            refused(&Reason::new(Class::Invalid, refusal.code(), text.ru, text.en))
        })?;
        let Plan::Issue(deed) = planned else { return Ok(()) };
        let (Some(receipt), Some(register)) = (deed.receipt(), desk.first()) else {
            return Ok(());
        };
        let naming = Naming { name: "try-out", buyer: None, at: self.now() };
        register.write(receipt, &naming).map(drop).map_err(|what: Unwritable| {
            refused(words::unwritable(&subject, register.title(), &what).reason())
        })
    }

    /// Tells again what was kept and whose job has not begun: the broker was away, or the process
    /// ended in between.
    ///
    /// # Errors
    /// [`sqlx::Error`] when PostgreSQL does not answer.
    pub async fn tell_again(&self) -> Result<usize, sqlx::Error> {
        self.tell_after(RETELL).await
    }

    /// The same for what was kept this long ago.
    ///
    /// # Errors
    /// [`sqlx::Error`] when PostgreSQL does not answer.
    pub async fn tell_after(&self, age: Duration) -> Result<usize, sqlx::Error> {
        let events = self.outside.requests.untold(age).await?;
        let mut told = 0;
        for event in events.iter().filter_map(|text| Event::from_json(text.as_bytes()).ok()) {
            match (self.outside.tell)(event).await {
                Ok(()) => told += 1,
                Err(error) => {
                    tracing::debug!(%error, "what was asked for is told a minute later");
                    break;
                }
            }
        }
        Ok(told)
    }

    /// Notes what a step of an asked receipt came to, for those who ask how it stands. Where it was
    /// `written` down before that step, it may be with a register.
    pub(crate) async fn note(
        &self,
        event: &Event,
        subject: &Subject,
        written: bool,
        outcome: Result<Step<State>, Failure>,
    ) -> Result<Step<State>, Failure> {
        if !matches!(event.fact, Fact::ReceiptAsked(_)) {
            return outcome;
        }
        let outcome = outcome.map(Step::parts);
        let sent = match &outcome {
            Ok(parts) => parts.state.is_written(),
            Err(_) => written,
        };
        let standing = standing(&outcome, written);
        if standing.is_some() || sent != written {
            let news = standing.as_ref().map(|(state, text)| (*state, text.as_str()));
            let noted = self.outside.requests.note(event.id(), news, sent).await;
            noted.map_err(|error| words::hints_away(subject, &error))?;
        }
        outcome.map(put_together)
    }
}

fn standing(
    outcome: &Result<Parts<State>, Failure>,
    written: bool,
) -> Option<(RequestState, String)> {
    let (state, reason) = match outcome {
        Ok(Parts { state: State::Done(done), .. }) => {
            return Some((RequestState::Issued, serde_json::to_string(&done.fiscal).ok()?));
        }
        Ok(Parts { state: State::Found, .. }) => {
            return Some((RequestState::Issued, "null".into()));
        }
        // The job stays where it stood: a replay asks that register, and nothing takes its place.
        Err(Failure::Dead(reason)) if written => (RequestState::Unknown, reason),
        Ok(Parts { next: Next::Stop(reason), .. }) | Err(Failure::Dead(reason)) => {
            (stopped(reason), reason)
        }
        Err(Failure::Retry(reason, _) | Failure::Down(reason)) => (RequestState::Waiting, reason),
        Err(Failure::Later(reason, _)) => (RequestState::Waiting, reason.as_ref()),
        Ok(_) => return None,
    };
    Some((state, serde_json::to_string(reason).ok()?))
}

fn stopped(reason: &Reason) -> RequestState {
    if reason.class == Class::Unknown { RequestState::Unknown } else { RequestState::Stopped }
}

fn put_together(parts: Parts<State>) -> Step<State> {
    let Parts { state, next, emit, alias } = parts;
    let step = match next {
        Next::Again => Step::again(state),
        Next::Wait(pause) => Step::wait(state, pause),
        Next::Done => Step::done(state),
        Next::Stop(reason) => Step::stop(state, reason),
    };
    let step = emit.into_iter().fold(step, Step::emit);
    match alias {
        Some(alias) => step.known_as(alias),
        None => step,
    }
}
