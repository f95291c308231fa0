//! The other channel: the receipt moves the codes, by way of the fiscal data operator. Nothing is sent
//! from here; the register is looked at until it shows what the receipt did.

use events::Phase;
use runtime::{Failure, Step};
use time::OffsetDateTime;

use super::{Job, Next};
use crate::{
    Marking,
    gismt::{CisStatus, documents::Reason},
    state::State,
    store::{CodeStatus, Held},
    words,
};

/// See [`State::Receipt`].
pub(super) struct Look {
    pub(super) revision: u32,
    pub(super) held: Vec<Held>,
    pub(super) looks: u32,
    pub(super) rest: Vec<Held>,
    pub(super) since: Option<OffsetDateTime>,
    pub(super) told: bool,
    pub(super) late: bool,
}

impl Marking {
    /// Looks whether the receipt has moved the codes.
    pub(super) async fn look_for_receipt(&self, job: Job<'_>, look: Look) -> Next {
        let held = &look.held;
        let infos = self.infos(job, held, None).await?;
        let mut foreign = Vec::new();
        let mut moved = 0;
        for (code, info) in held.iter().zip(&infos) {
            let Some(known) = &info.code else {
                foreign.push((code.ki.masked(), "not_found".to_owned()));
                continue;
            };
            match (known.status, job.is_out()) {
                (Some(CisStatus::Retired), true) if known.reason == Some(Reason::Retail) => {
                    moved += 1
                }
                (Some(CisStatus::Introduced), false) => moved += 1,
                (Some(CisStatus::Introduced), true) | (Some(CisStatus::Retired), false) => {}
                _ => {
                    foreign.push((code.ki.masked(), known.stands()));
                }
            }
        }
        if !foreign.is_empty() {
            return Err(Failure::Dead(words::codes_foreign(job.order, &foreign)));
        }
        // A till elsewhere retires codes by the same reason: without a receipt of ours it was not us.
        let receipt = self.store.receipt(job.order).await.map_err(|error| job.store(&error))?;
        let is_ours = receipt.is_some() || !job.is_out();
        if moved == 0 && receipt.is_none() && self.is_given_up(job, &look).await? {
            let ids: Vec<i64> = held.iter().map(|code| code.id).collect();
            self.settle(job, &ids, CodeStatus::InStock, "cancelled").await?;
            return self.leaves_nothing(job, "the order was cancelled, and no receipt came").await;
        }
        if moved < held.len() || !is_ours {
            return Ok(self.look_again(job, look));
        }
        let ids: Vec<i64> = held.iter().map(|code| code.id).collect();
        let to = if job.is_out() { CodeStatus::Sold } else { self.home(job) };
        self.settle(job, &ids, to, "by_receipt").await?;
        if !look.rest.is_empty() {
            return Ok(Step::again(State::Taken { revision: look.revision, held: look.rest }));
        }
        self.finished(job, held.len()).await
    }

    /// Whether the order is cancelled and no receipt has come for so long that none will.
    async fn is_given_up(&self, job: Job<'_>, look: &Look) -> Result<bool, Failure> {
        if !job.is_out() || !self.is_overdue(job, look.since) {
            return Ok(false);
        }
        let cancelled = self.store.is_cancelled(job.order).await;
        cancelled.map_err(|error| job.store(&error))
    }

    /// Whether a receipt is later than receipts are: by two thirds of the time that the law gives.
    fn is_overdue(&self, job: Job<'_>, since: Option<OffsetDateTime>) -> bool {
        since.is_some_and(|since| self.now() - since > job.shop.withdraw_within * 2 / 3)
    }

    /// Looks again later; says once that it takes too long, and once that the law's time is over.
    fn look_again(&self, job: Job<'_>, look: Look) -> Step<State> {
        let Look { revision, held, looks, rest, since, told, late } = look;
        let pause = self.pause(looks);
        let since = Some(since.unwrap_or_else(|| self.now()));
        let (is_overdue, is_late) =
            (!told && self.is_overdue(job, since), !late && self.is_late(job));
        let (looks, told, late) = (looks + 1, told || is_overdue, late || is_late);
        let next = State::Receipt { revision, held, looks, rest, since, told, late };
        let mut step = Step::wait(next, pause);
        if is_overdue {
            let hours = job.shop.withdraw_within.as_secs() * 2 / 3 / 3600;
            let text = words::receipt_late(job.order, job.is_out(), hours);
            let status = (Phase::Retrying, "receipt_late");
            step = step.emit(words::status(job.event, job.order, status, text, self.now()));
        }
        if is_late { step.emit(self.late_status(job)) } else { step }
    }
}
