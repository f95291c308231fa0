//! The event feed: what it tells is a nudge to look at a document, never evidence.
//!
//! Two events of one moment may be lost across a page's border, so the last minutes are read again each time, by time
//! and not by place, and what is known is passed over. What the feed never tells, the jobs' own looks find.

use std::time::Duration;

use time::OffsetDateTime;

use crate::{
    Edo, Nudged,
    diadoc::{Error, Event, What},
    store::Place,
};

/// How long one replica has the feed for itself: longer than a reading.
const LEASE: Duration = Duration::from_secs(120);
/// The most pages of one reading; the rest comes with the next.
const PAGES: usize = 50;
/// How often the numbers are counted, in readings.
const COUNT_EVERY: u32 = 4;

/// Why a reading came to nothing.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Trouble {
    #[error(transparent)]
    Diadoc(#[from] Error),
    #[error("the store is away: {0}")]
    Store(#[from] sqlx::Error),
    #[error("jobs and the shop cannot be told")]
    Told,
}

impl Edo {
    /// Follows the feed until the process is to stop.
    pub(crate) async fn follow(&self) {
        let mut round = 0_u32;
        loop {
            if let Err(trouble) = self.read_feed().await {
                tracing::warn!(%trouble, "the event feed is read again a little later");
            }
            if round.is_multiple_of(COUNT_EVERY) {
                self.count().await;
            }
            round = round.wrapping_add(1);
            if !(self.outside.pause)(self.config.edo_feed).await {
                return self.leave().await;
            }
        }
    }

    async fn count(&self) {
        match self.store.counts().await {
            Ok(counts) => self.gauges.show(&counts),
            Err(error) => tracing::debug!(%error, "documents are counted a little later"),
        }
    }

    async fn leave(&self) {
        let account = self.config.diadoc.diadoc_box_id;
        if let Err(error) = self.store.leave_feed(account, self.holder).await {
            tracing::debug!(%error, "the feed's lease ends by itself");
        }
    }

    /// Reads what is new, if no other replica does.
    pub(crate) async fn read_feed(&self) -> Result<(), Trouble> {
        let account = self.config.diadoc.diadoc_box_id;
        let Some(mut place) = self.store.hold_feed(account, self.holder, LEASE).await? else {
            return Ok(());
        };
        if place.ticks == 0 {
            // The first time the feed is read from now on: nothing of ours is older.
            place.ticks = self.ticks_ago(self.config.edo_feed_overlap);
        }
        self.read_by_time(&mut place).await?;
        self.read_by_place(&mut place).await?;
        let forget = self.config.edo_feed_overlap.saturating_mul(4).max(Duration::from_secs(3600));
        self.store.move_feed(account, self.holder, &place, forget).await?;
        Ok(())
    }

    fn ticks_ago(&self, ago: Duration) -> i64 {
        let at: OffsetDateTime = self.now() - ago;
        crate::diadoc::ticks(at)
    }

    /// What happened in the last minutes, whatever its place.
    async fn read_by_time(&self, place: &mut Place) -> Result<(), Trouble> {
        let overlap = i64::try_from(self.config.edo_feed_overlap.as_nanos() / 100).unwrap_or(0);
        let mut since = place.ticks.saturating_sub(overlap);
        for _ in 0..PAGES {
            let page = self.diadoc.events(None, Some(since)).await?;
            let newest = page.events.iter().map(|event| event.ticks).max();
            self.heed(page.events, place).await?;
            // On from the last one's moment, not from its place: its twin may stand across the border.
            match newest.filter(|newest| *newest > since) {
                Some(newest) => since = newest,
                None => break,
            }
        }
        Ok(())
    }

    /// What stands after the last place.
    async fn read_by_place(&self, place: &mut Place) -> Result<(), Trouble> {
        for _ in 0..PAGES {
            let Some(index) = place.index.clone() else { break };
            let page = match self.diadoc.events(Some(&index), None).await {
                Ok(page) => page,
                Err(Error { what: What::Rejected { .. }, .. }) => {
                    // Diadoc does not know the place any more: the one before it, then none.
                    tracing::warn!(
                        "Diadoc does not know our place in its feed; an earlier one is taken"
                    );
                    place.index = place.previous.take();
                    continue;
                }
                Err(error) => return Err(error.into()),
            };
            self.heed(page.events, place).await?;
            if place.index.as_ref() == Some(&index) {
                break;
            }
        }
        Ok(())
    }

    /// Has the jobs of new events looked at, then notes the events and the place.
    async fn heed(&self, events: Vec<Event>, place: &mut Place) -> Result<(), Trouble> {
        let account = self.config.diadoc.diadoc_box_id;
        let ids: Vec<String> = events.iter().map(|event| event.id.clone()).collect();
        let new = self.store.new_events(account, &ids).await?;
        let mut messages: Vec<&str> = events
            .iter()
            .filter(|event| new.contains(&event.id) && !event.message.is_empty())
            .map(|event| event.message.as_str())
            .collect();
        messages.sort_unstable();
        messages.dedup();
        for message in messages {
            match (self.outside.nudge)(message.to_owned()).await {
                Nudged::Job => {}
                Nudged::Nobody => self.look_afterwards(message).await?,
                Nudged::Away => return Err(Trouble::Told),
            }
        }
        self.store.note_events(account, &ids).await?;
        self.gauges.read(new.len(), ids.len() - new.len());
        let newest = events.into_iter().max_by_key(|event| event.ticks);
        if let Some(newest) = newest.filter(|newest| newest.ticks >= place.ticks) {
            place.ticks = newest.ticks;
            if !newest.index.is_empty() && place.index.as_ref() != Some(&newest.index) {
                place.previous = place.index.replace(newest.index);
            }
        }
        Ok(())
    }
}
