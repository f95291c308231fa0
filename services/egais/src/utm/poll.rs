//! The looks at a UTM's inbox: one poller for each, and what it takes it keeps before it is deleted.

use std::time::Duration;

use tokio::sync::mpsc::{Sender, channel};
use uuid::Uuid;

use super::{
    Client, Error,
    answer::{self, Entry, Incoming, Rest},
    error::What,
};
use crate::{Egais, store::Task, xml::XmlError};

/// How long one polls before his turn must be renewed.
const TURN: Duration = Duration::from_secs(120);
/// How many positions of stock are written at a time.
const BATCH: usize = 1_000;

/// What a look came to.
#[derive(Debug, Default)]
pub struct Polled {
    /// Documents that were kept and deleted.
    pub taken: usize,
    /// Events whose jobs have something new to see.
    pub causes: Vec<Uuid>,
    /// Documents that could not be read and stay.
    pub later: usize,
    /// Registers of stock that came.
    pub rests: usize,
}

impl Egais {
    /// Looks at a UTM's inbox; `None` while another one does.
    ///
    /// What this service has not asked for is left to whoever it is for: other programs at the shop may read the
    /// same inbox.
    ///
    /// # Errors
    /// [`Error`] when the UTM or PostgreSQL is away: nothing is lost, for what was not kept is not deleted.
    pub async fn poll(&self, name: &str) -> Result<Option<Polled>, Error> {
        let Some(utm) = self.utms.get(name) else { return Ok(None) };
        let away = |error: sqlx::Error| store_away(name, &error);
        let turn = self.store.turn(name, Task::Poll, TURN).await.map_err(away)?;
        let Some(turn) = turn else { return Ok(None) };
        let began = self.now();
        let polled = self.round(utm, &turn).await;
        // A document in doubt may be answered by what could not be read.
        let whole = polled.as_ref().is_ok_and(|polled| polled.later == 0).then_some(began);
        self.store.give_back(turn, whole).await.map_err(away)?;
        polled.map(Some)
    }

    async fn round(&self, utm: &Client, turn: &crate::store::Turn) -> Result<Polled, Error> {
        let mut polled = Polled::default();
        for entry in utm.inbox().await? {
            let place = (utm.name().to_owned(), entry.path.clone());
            if self.foreign.lock().await.contains(&place) {
                continue;
            }
            let kept = self.store.renew(turn, TURN).await;
            if !kept.map_err(|error| store_away(utm.name(), &error))? {
                break;
            }
            match self.keep(utm, &entry, &mut polled).await.or_else(later)? {
                Kept::Taken => {
                    utm.delete(&entry.path).await?;
                    polled.taken += 1;
                }
                Kept::Later => polled.later += 1,
                Kept::Foreign => {
                    let mut foreign = self.foreign.lock().await;
                    // A bound; what is forgotten is looked at once more.
                    if foreign.len() > 100_000 {
                        foreign.clear();
                    }
                    foreign.insert(place);
                }
            }
        }
        Ok(polled)
    }

    async fn keep(&self, utm: &Client, entry: &Entry, polled: &mut Polled) -> Result<Kept, Error> {
        if entry.path.starts_with("ReplyRests") {
            return self.keep_rests(utm, entry, polled).await;
        }
        let Some(body) = utm.read(&entry.path).await? else { return Ok(Kept::Later) };
        let read = answer::incoming(body.as_slice(), &mut |_| Ok(()));
        let away = |error: sqlx::Error| store_away(utm.name(), &error);
        match read {
            Ok(Incoming::Ticket(ticket)) => {
                let text = String::from_utf8_lossy(&body);
                let ours = self.store.keep_ticket(utm.name(), &ticket, &text, self.now()).await;
                match ours.map_err(away)? {
                    Some(cause) => {
                        polled.causes.extend(cause);
                        Ok(Kept::Taken)
                    }
                    None => Ok(Kept::Foreign),
                }
            }
            Ok(Incoming::Bottles { f2, marks }) => {
                self.store.keep_bottles(utm.name(), &f2, &marks).await.map_err(away)?;
                Ok(Kept::Taken)
            }
            Ok(Incoming::Rests { .. } | Incoming::Other(_)) => Ok(Kept::Foreign),
            // Perhaps something between the UTM and us spoke in its place: it is read again next time.
            Err(error) => {
                let place = (utm.name().to_owned(), entry.path.clone());
                if self.unreadable.lock().await.insert(place) {
                    tracing::warn!(utm = utm.name(), document = %entry.path, %error,
                        "a document in the UTM cannot be read and is left there");
                }
                Ok(Kept::Later)
            }
        }
    }

    /// Stock is read as it comes and put in the place of what was known.
    async fn keep_rests(
        &self,
        utm: &Client,
        entry: &Entry,
        polled: &mut Polled,
    ) -> Result<Kept, Error> {
        let away = |error: sqlx::Error| store_away(utm.name(), &error);
        if !self.store.awaits_rests(utm.name()).await.map_err(away)? {
            return Ok(Kept::Foreign);
        }
        let shop = entry.path.starts_with("ReplyRestsShop");
        let (send, mut batches) = channel(2);
        let mut batch = Batch { rows: Vec::new(), send };
        let reading = utm.read_rests(&entry.path, move |rest| batch.take(rest));
        let writing = self.store.keep_rests(utm.name(), shop, &mut batches);
        let (read, written) = tokio::join!(reading, writing);
        let written = written.map_err(away)?;
        match read? {
            Incoming::Rests { shop: is_shop, .. } if is_shop == shop => {}
            // What was written goes with the transaction.
            _ => return Ok(Kept::Foreign),
        }
        written.commit().await.map_err(away)?;
        polled.rests += 1;
        let run = self.store.rests_came(utm.name(), shop, self.now()).await.map_err(away)?;
        if let Some(run) = run {
            let found = self.store.compare(utm.name(), run, self.now()).await.map_err(away)?;
            for difference in found.iter().take(50) {
                tracing::warn!(utm = utm.name(), alc_code = %difference.alc_code,
                    first = %difference.first, shop = %difference.shop, catalogue = %difference.catalogue,
                    "EGAIS and the catalogue disagree on stock");
            }
            self.gauges.differences(utm.name(), found.len());
        }
        Ok(Kept::Taken)
    }
}

/// One document that the UTM does not give out is no reason to leave the others.
fn later(error: Error) -> Result<Kept, Error> {
    match error.what {
        What::Garbled(_) => {
            tracing::debug!(%error, "a document of the inbox is read again");
            Ok(Kept::Later)
        }
        _ => Err(error),
    }
}

/// Positions on their way from the parser to the tables, some at a time.
struct Batch {
    rows: Vec<Rest>,
    send: Sender<Vec<Rest>>,
}

impl Batch {
    fn take(&mut self, rest: Rest) -> Result<(), XmlError> {
        self.rows.push(rest);
        if self.rows.len() < BATCH {
            return Ok(());
        }
        let rows = std::mem::take(&mut self.rows);
        self.send.blocking_send(rows).map_err(|_| XmlError::new("nobody takes the positions"))
    }
}

/// The parser drops it on its own thread, when it has come to its end.
impl Drop for Batch {
    fn drop(&mut self) {
        let rows = std::mem::take(&mut self.rows);
        if !rows.is_empty() && self.send.blocking_send(rows).is_err() {
            tracing::debug!("nobody takes the last positions");
        }
    }
}

enum Kept {
    Taken,
    Later,
    Foreign,
}

fn store_away(utm: &str, error: &sqlx::Error) -> Error {
    let why = match error.as_database_error() {
        Some(error) => format!("SQLSTATE {}", error.code().unwrap_or_default()),
        None => error.to_string(),
    };
    Error { utm: utm.to_owned(), what: What::Garbled(format!("PostgreSQL: {why}")) }
}
