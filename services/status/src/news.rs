//! What is new about an order: pure, from everything that was said about it.
//!
//! Statuses overtake each other on their way. The order among them is the order of their times,
//! with one exception by cause and effect: [`Phase::Done`] is a job's last word, whatever the
//! clocks of two replicas say. From it follows
//! - that a status which its job has gone beyond is *stale*, and is neither shown nor acted upon,
//! - which value of a property is the last one: an older value never replaces it,
//! - which status the order is given, if any: once for a cause, so that a manager who sets
//!   another one is not fought.

use std::collections::{BTreeMap, BTreeSet};

use bitrix::shops::{StatusCode, Writeback};
use events::{Phase, Status};
use time::OffsetDateTime;
use uuid::Uuid;

/// A status that was said about the order.
#[derive(Debug, Clone)]
pub(crate) struct Said {
    /// The event's id.
    pub id: Uuid,
    /// When it was said.
    pub at: OffsetDateTime,
    pub status: Status,
    /// Whether the shop has been told, or need not be.
    pub written: bool,
    /// Parts that the shop has taken although `written` is not set.
    pub done: BTreeSet<Part>,
}

/// The parts of a write. The shop takes or refuses each by itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Part {
    Properties,
    OrderStatus,
    Comment,
    Notice,
}

/// What the shop is to be told.
#[derive(Debug, Default)]
pub(crate) struct News<'a> {
    /// Order properties by code.
    pub properties: BTreeMap<&'a str, &'a str>,
    /// The status that the order is given.
    pub order_status: Option<&'a StatusCode>,
    /// What goes into the timeline, in order.
    pub comments: Vec<&'a Said>,
    /// What the responsible user is notified of: the last word of each service.
    pub notices: Vec<&'a Said>,
    /// Every status that is new and not stale, in order.
    pub words: Vec<&'a Said>,
}

impl Part {
    pub(crate) const ALL: [Self; 4] =
        [Self::Properties, Self::OrderStatus, Self::Comment, Self::Notice];

    /// Its name in the table.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Properties => "properties",
            Self::OrderStatus => "order_status",
            Self::Comment => "comment",
            Self::Notice => "notice",
        }
    }
}

impl News<'_> {
    /// Whether a portal has nothing to be told. (A site also takes the bare words.)
    pub(crate) fn is_silent(&self) -> bool {
        self.properties.is_empty()
            && self.order_status.is_none()
            && self.comments.is_empty()
            && self.notices.is_empty()
    }
}

/// What of all that was `said` is news.
pub(crate) fn news<'a>(said: &'a [Said], writeback: &'a Writeback) -> News<'a> {
    let said = in_order(said);
    let fresh = || said.iter().copied().filter(|one| !one.written);
    let current = || fresh().filter(|one| !is_stale(one, &said));
    let wanting = |part, phases: &BTreeSet<Phase>| -> Vec<&'a Said> {
        current()
            .filter(|one| phases.contains(&one.status.phase) && !one.done.contains(&part))
            .filter(|one| !is_finished(one) || said.iter().any(|other| had_stopped(one, other)))
            .collect()
    };
    News {
        properties: properties(&said),
        order_status: order_status(&said, writeback),
        comments: wanting(Part::Comment, &writeback.comment),
        notices: last_of_each(wanting(Part::Notice, &writeback.notify)),
        words: current().collect(),
    }
}

/// By time; a job's `Done` after everything else that the job said.
fn in_order(said: &[Said]) -> Vec<&Said> {
    let at = |one: &Said| match one.status.phase {
        Phase::Done => said.iter().filter(|other| same_job(one, other)).map(|other| other.at).max(),
        _ => Some(one.at),
    };
    let mut ordered: Vec<&Said> = said.iter().collect();
    ordered.sort_by_cached_key(|one| (at(one), one.status.phase == Phase::Done, one.at, one.id));
    ordered
}

/// Whether its job has gone beyond it. A job may be done in several ways: none of them is stale.
fn is_stale(one: &Said, ordered: &[&Said]) -> bool {
    let later = ordered.iter().skip_while(|other| other.id != one.id).skip(1);
    one.status.phase != Phase::Done && later.into_iter().any(|other| same_job(one, other))
}

/// Whether it tells of an end alone, and not of anything that was done.
fn is_finished(one: &Said) -> bool {
    one.status.code == Status::FINISHED
}

/// Whether the shop was told that this job had stopped: then it is told of its end as well.
fn had_stopped(one: &Said, other: &Said) -> bool {
    same_job(one, other) && matches!(other.status.phase, Phase::Failed | Phase::Unknown)
}

fn same_job(one: &Said, other: &Said) -> bool {
    one.status.service == other.status.service && one.status.cause == other.status.cause
}

/// Properties whose last word has not been written.
fn properties<'a>(ordered: &[&'a Said]) -> BTreeMap<&'a str, &'a str> {
    let mut last: BTreeMap<&str, (&Said, &str)> = BTreeMap::new();
    for one in ordered {
        for (code, value) in &one.status.properties {
            last.insert(code, (one, value));
        }
    }
    let news = |one: &Said| !one.written && !one.done.contains(&Part::Properties);
    last.into_iter().filter(|(_, (one, _))| news(one)).map(|(code, (_, v))| (code, v)).collect()
}

/// The status asked for last, if that is news and was not set before for the same cause.
fn order_status<'a>(ordered: &[&'a Said], writeback: &'a Writeback) -> Option<&'a StatusCode> {
    let wish = |one: &Said| {
        let status = &one.status;
        writeback.status(&status.service, status.phase).filter(|_| !is_finished(one))
    };
    let current = ordered.iter().filter(|one| one.written || !is_stale(one, ordered));
    let (last, code) = current.filter_map(|one| Some((one, wish(one)?))).next_back()?;
    let was_set = |one: &Said| one.written || one.done.contains(&Part::OrderStatus);
    let before = ordered.iter().filter(|one| same_job(one, last) && was_set(one));
    (!was_set(last) && before.into_iter().all(|one| wish(one) != Some(code))).then_some(code)
}

fn last_of_each(notices: Vec<&Said>) -> Vec<&Said> {
    let mut last: BTreeMap<&str, &Said> = BTreeMap::new();
    for one in notices {
        last.insert(&one.status.service, one);
    }
    last.into_values().collect()
}

#[cfg(test)]
mod tests;
