//! The looks at a UTM's inbox: one poller for each, and what it takes it keeps before it is deleted.

use std::collections::HashSet;

use time::OffsetDateTime;
use tokio::sync::mpsc::{Sender, channel};
use uuid::Uuid;

use super::{
    Client, Error,
    answer::{self, Entry, Incoming, Rest, Step, Ticket, Verdict},
    error::What,
};
use crate::{
    Egais,
    documents::Kind,
    store::{Round, Task, Turn},
    xml::XmlError,
};

/// After so many documents in a row without an answer the UTM is left alone until the next look.
const FAILED_MOST: usize = 3;
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
    /// When the newest of what could not be read was first seen.
    pub unread_at: Option<OffsetDateTime>,
    /// Documents in a row for which there was no answer.
    failed: usize,
    /// Whether another one took the turn meanwhile.
    lost: bool,
    /// Whether there is more than was taken in hand.
    is_cut: bool,
}

impl Polled {
    /// One document that the UTM does not give out, or that is none, is no reason to leave the others, nor are many; a UTM
    /// that does not answer is.
    fn goes_on(&mut self, ended: Result<(), Error>) -> Result<(), Error> {
        let Err(error) = ended else {
            self.failed = 0;
            return Ok(());
        };
        self.failed += usize::from(error.what.is_general());
        let is_over = error.what.had_no_effect() || self.failed >= FAILED_MOST;
        if is_over { Err(error) } else { Ok(()) }
    }
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
        let away = |error: sqlx::Error| Error::not_kept(name, &error);
        let turn = self.store.turn(name, Task::Poll, self.config.egais_turn).await.map_err(away)?;
        let Some(turn) = turn else { return Ok(None) };
        let began = self.now();
        let polled = self.round(utm, &turn).await;
        let round = match &polled {
            Ok(polled) if polled.lost => Round::Away,
            Ok(polled) if polled.is_cut => Round::Failed { at: self.now() },
            Ok(polled) => Round::Whole { began, unread_at: polled.unread_at },
            Err(error) if error.what.had_no_effect() => Round::Away,
            Err(_) => Round::Failed { at: self.now() },
        };
        self.store.end_round(turn, round).await.map_err(away)?;
        polled.map(Some)
    }

    async fn round(&self, utm: &Client, turn: &Turn) -> Result<Polled, Error> {
        let mut polled = Polled::default();
        for entry in self.listed(utm, &mut polled).await? {
            let kept = self.store.renew(turn, self.config.egais_turn).await;
            if !kept.map_err(|error| Error::not_kept(utm.name(), &error))? {
                polled.lost = true;
                break;
            }
            let ended = match self.keep(utm, turn, &entry, &mut polled).await {
                // What was kept is kept once, however often it is read.
                Ok(Kept::Taken) => {
                    let gone = utm.delete(&entry.path).await;
                    polled.taken += usize::from(gone.is_ok());
                    gone
                }
                Ok(Kept::Later) => {
                    self.leave_unread(utm, &entry, &mut polled, "no document").await;
                    Ok(())
                }
                Ok(Kept::Passed) => Ok(()),
                Ok(Kept::Foreign) => {
                    let mut foreign = self.foreign.lock().await;
                    foreign.entry(utm.name().to_owned()).or_default().insert(entry.path);
                    Ok(())
                }
                Err(error) => {
                    if !error.what.had_no_effect() {
                        let why = error.what.to_string();
                        self.leave_unread(utm, &entry, &mut polled, &why).await;
                    }
                    Err(error)
                }
            };
            polled.goes_on(ended)?;
        }
        Ok(polled)
    }

    /// What lies in the inbox and is not known to be for others; what could not be read last time comes last, so that
    /// it is in nobody's way.
    async fn listed(&self, utm: &Client, polled: &mut Polled) -> Result<Vec<Entry>, Error> {
        let known = self.foreign.lock().await.remove(utm.name()).unwrap_or_default();
        let (inbox, ended) = utm.look(known).await;
        // A number may come again one day: what is gone is forgotten, once the whole list was seen.
        let mut foreign = inbox.still;
        if ended.is_err() {
            foreign.extend(inbox.known);
        }
        self.foreign.lock().await.insert(utm.name().to_owned(), foreign);
        ended?;
        polled.is_cut = inbox.is_cut;
        let mut entries = inbox.fresh;
        let mut unreadable = self.unreadable.lock().await;
        if !inbox.is_cut {
            let there: HashSet<&str> = entries.iter().map(|entry| entry.path.as_str()).collect();
            unreadable.retain(|(at, path), _| at != utm.name() || there.contains(path.as_str()));
        }
        let place = |path: &str| (utm.name().to_owned(), path.to_owned());
        entries.sort_by_key(|entry| unreadable.contains_key(&place(&entry.path)));
        drop(unreadable);
        self.without_strangers(utm, entries).await
    }

    /// Leaves out what answers documents of others. For good, so that the next look has the rest of a long list in hand;
    /// but for answers to questions, for one of ours is entered only after it was taken.
    async fn without_strangers(
        &self,
        utm: &Client,
        entries: Vec<Entry>,
    ) -> Result<Vec<Entry>, Error> {
        let names: HashSet<&String> =
            entries.iter().filter_map(|entry| entry.reply_id.as_ref()).collect();
        let names: Vec<String> = names.into_iter().cloned().collect();
        let ours = self.store.ours(utm.name(), &names).await;
        let Some(ours) = ours.map_err(|error| Error::not_kept(utm.name(), &error))? else {
            return Ok(entries);
        };
        let is_ours =
            |entry: &Entry| entry.reply_id.as_ref().is_none_or(|name| ours.contains(name));
        let (ours, strangers): (Vec<Entry>, Vec<Entry>) = entries.into_iter().partition(is_ours);
        let paths = strangers.into_iter().map(|entry| entry.path);
        let mut foreign = self.foreign.lock().await;
        let foreign = foreign.entry(utm.name().to_owned()).or_default();
        foreign.extend(paths.filter(|path| !path.starts_with("Reply")));
        Ok(ours)
    }

    /// A document stays in the UTM because it cannot be read: it is told of once.
    async fn leave_unread(&self, utm: &Client, entry: &Entry, polled: &mut Polled, why: &str) {
        let place = (utm.name().to_owned(), entry.path.clone());
        let now = self.now();
        let mut unreadable = self.unreadable.lock().await;
        let first = *unreadable.entry(place).or_insert_with(|| {
            tracing::warn!(utm = utm.name(), document = %entry.path, why,
                "a document in the UTM cannot be read and is left there");
            now
        });
        polled.later += 1;
        polled.unread_at = polled.unread_at.max(Some(first));
    }

    async fn keep(
        &self,
        utm: &Client,
        turn: &Turn,
        entry: &Entry,
        polled: &mut Polled,
    ) -> Result<Kept, Error> {
        if entry.path.starts_with("ReplyRests") {
            return self.keep_rests(utm, turn, entry, polled).await;
        }
        let body = match utm.read(&entry.path).await {
            Ok(Some(body)) => body,
            Ok(None) => return Ok(Kept::Later),
            // No ticket is that long.
            Err(Error { what: What::TooLong, .. }) => return Ok(Kept::Foreign),
            Err(error) => return Err(error),
        };
        let read = answer::incoming(body.as_slice(), &mut |_| Ok(()));
        let away = |error: sqlx::Error| Error::not_kept(utm.name(), &error);
        match read {
            Ok(Incoming::Ticket(ticket)) => self.keep_ticket(utm, &ticket, &body, polled).await,
            // The brief names a document by what it was answered, and has one verdict.
            Ok(Incoming::Answer { accepted, number, words }) => {
                let last = entry.path.rsplit('/').next().unwrap_or_default();
                let verdict = |step| Verdict { step, accepted, words: words.clone() };
                let ticket = Ticket {
                    identity: String::new(),
                    transport: entry.reply_id.clone().unwrap_or_else(|| last.to_owned()),
                    reg_id: number,
                    verdicts: vec![verdict(Step::Check), verdict(Step::Operation)],
                };
                self.keep_ticket(utm, &ticket, &body, polled).await
            }
            Ok(Incoming::Bottles { f2, marks }) => {
                let reply_id = entry.reply_id.as_deref();
                let asked = self.store.has_asked(utm.name(), Kind::QueryRestBCode, (reply_id, &f2));
                if !asked.await.map_err(away)? {
                    return Ok(Kept::Foreign);
                }
                self.store.keep_bottles(utm.name(), &f2, &marks).await.map_err(away)?;
                self.store.form_answered(utm.name(), &f2, self.now()).await.map_err(away)?;
                Ok(Kept::Taken)
            }
            // Whoever else reads the inbox may want them: they are remembered and left there.
            Ok(Incoming::WayBill(waybill)) => {
                self.store.keep_waybill(utm.name(), &waybill).await.map_err(away)?;
                Ok(Kept::Foreign)
            }
            Ok(Incoming::Registered(registered)) => {
                self.store.keep_registered(utm.name(), &registered).await.map_err(away)?;
                Ok(Kept::Foreign)
            }
            Ok(Incoming::Rests { .. } | Incoming::Other(_)) => Ok(Kept::Foreign),
            // Perhaps something between the UTM and us spoke in its place: it is read again next time.
            Err(error) => {
                Err(Error { utm: utm.name().to_owned(), what: What::Garbled(error.to_string()) })
            }
        }
    }

    async fn keep_ticket(
        &self,
        utm: &Client,
        ticket: &Ticket,
        body: &[u8],
        polled: &mut Polled,
    ) -> Result<Kept, Error> {
        let text = String::from_utf8_lossy(body).replace('\0', "");
        let ours = self.store.keep_ticket(utm.name(), ticket, &text, self.now()).await;
        match ours.map_err(|error| Error::not_kept(utm.name(), &error))? {
            Some(cause) => {
                polled.causes.extend(cause);
                Ok(Kept::Taken)
            }
            None => Ok(Kept::Foreign),
        }
    }

    /// Stock is read as it comes and put in the place of what was known.
    async fn keep_rests(
        &self,
        utm: &Client,
        turn: &Turn,
        entry: &Entry,
        polled: &mut Polled,
    ) -> Result<Kept, Error> {
        let away = |error: sqlx::Error| Error::not_kept(utm.name(), &error);
        let reply_id = entry.reply_id.as_deref();
        // In this order: a question is entered first and noted in its run after that.
        let is_ours = self.store.had_asked(utm.name(), reply_id).await.map_err(away)?;
        let Some(run) = self.store.awaiting_run(utm.name(), reply_id).await.map_err(away)? else {
            // A crash after the comparison leaves its answer there. What others have asked for is theirs.
            return Ok(if is_ours { Kept::Taken } else { Kept::Passed });
        };
        let shop = entry.path.starts_with("ReplyRestsShop");
        let (send, batches) = channel(2);
        let mut batch = Batch { rows: Vec::new(), send };
        let reading = utm.read_rests(&entry.path, move |rest| batch.take(rest));
        let writing = self.store.keep_rests(utm.name(), shop, batches);
        // It may take an hour: the turn is kept meanwhile.
        let (read, written) = tokio::select! {
            both = async { tokio::join!(reading, writing) } => both,
            () = self.keep_turn(turn) => {
                let what = What::Garbled("the turn was lost".to_owned());
                return Err(Error { utm: utm.name().to_owned(), what });
            }
        };
        let written = written.map_err(away)?;
        match read {
            Ok(Incoming::Rests { shop: is_shop, .. }) if is_shop == shop => {}
            other => {
                written.rollback().await.map_err(away)?;
                return other.map(|_| Kept::Foreign);
            }
        }
        written.commit().await.map_err(away)?;
        polled.rests += 1;
        if self.store.rests_came(run, shop, self.now()).await.map_err(away)? {
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

    /// Keeps a turn for as long as this is polled; comes back when it is lost.
    async fn keep_turn(&self, turn: &Turn) {
        let mut beat = tokio::time::interval(self.config.egais_turn / 3);
        loop {
            beat.tick().await;
            // While PostgreSQL is away, nobody else gets it either.
            if let Ok(false) = self.store.renew(turn, self.config.egais_turn).await {
                return;
            }
        }
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
    /// Not ours as far as is known by now: a question of ours may be on its way into the tables.
    Passed,
}
