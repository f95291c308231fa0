//! The way of a status from its job into the shop.

use std::time::{Duration, Instant};

use bitrix::{
    rest::RestError,
    site::{Site, SiteError},
};
use events::{Event, OrderRef};
use runtime::{Failure, Step};
use uuid::Uuid;

use crate::{
    Side, StatusWriter,
    book::{Book, Claim, Held, Write},
    news::news,
    plan::{Plan, PortalPlan},
    portal::{self, PortalSide, Tally},
    words,
};

/// How long a job waits while another one writes on its order.
const OTHERS: Duration = Duration::from_secs(1);

/// A step that has taken this long lets the rest be the next step's, so that none is too slow.
const LONG: Duration = Duration::from_secs(5);

/// How a job goes on after a stretch of work on its order.
enum Course {
    On,
    Wait(Duration),
}

impl StatusWriter {
    /// Sees that the shop is told this status, by this job or by another.
    pub(crate) async fn write(
        &self,
        event: &Event,
        status: &events::Status,
        side: &Side<'_>,
    ) -> Result<Step<()>, Failure> {
        let key = key(&status.order);
        if self.store.enroll(event.id(), &key, event.time(), status).await? {
            return Ok(Step::done(()));
        }
        let Some(claim) = self.store.claim(&key, self.config.status_lease).await? else {
            return Ok(Step::wait((), OTHERS));
        };
        let outcome = self.hold(event.id(), &status.order, side, &claim).await;
        if let Err(failure) = self.store.release(&claim).await {
            tracing::warn!(reason = %failure.reason().text, "the order's lease ends by itself");
        }
        outcome
    }

    /// With the order in hand: ends what was begun, then writes what is new.
    async fn hold(
        &self,
        event: Uuid,
        order: &OrderRef,
        side: &Side<'_>,
        claim: &Claim,
    ) -> Result<Step<()>, Failure> {
        let began = Instant::now();
        loop {
            let book = self.store.book(&claim.key).await?;
            if book.said.iter().any(|said| said.id == event && said.written) {
                return Ok(Step::done(()));
            }
            let course = match book.open {
                Some(write) => self.carry_out(event, order, side, claim, write).await?,
                None => self.begin(order, side, claim, &book).await?,
            };
            match course {
                Course::Wait(wait) => return Ok(Step::wait((), wait)),
                Course::On if began.elapsed() > LONG => return Ok(Step::again(())),
                Course::On => {}
            }
        }
    }

    /// Decides what is to be written and keeps the decision.
    async fn begin(
        &self,
        order: &OrderRef,
        side: &Side<'_>,
        claim: &Claim,
        book: &Book,
    ) -> Result<Course, Failure> {
        let fresh: Vec<Uuid> = book.said.iter().filter(|s| !s.written).map(|s| s.id).collect();
        let (id, language) = (Uuid::new_v4(), self.config.status_language);
        let plan = match side {
            Side::Portal(side) => {
                let news = news(&book.said, &side.shop.writeback);
                let plan = match news.is_silent() {
                    true => Ok(PortalPlan::default()),
                    false => side.plan(id, order, &book.said, &news, language).await,
                };
                match plan {
                    Ok(plan) if plan.is_empty() => None,
                    Ok(plan) => Some(Plan::Portal(plan)),
                    Err(error) => return wait_or_fail(error),
                }
            }
            Side::Site(_, shop) => {
                let news = news(&book.said, &shop.writeback);
                let silent = news.is_silent() && news.words.is_empty();
                let plan = (!silent).then(|| Plan::site(order, &news, language)).transpose();
                plan.map_err(|error| words::json(&error))?
            }
        };
        match plan {
            None => self.store.skip(&fresh).await.map(|()| Course::On),
            Some(plan) => Ok(go_on(self.store.begin(claim, id, &plan, &fresh).await?)),
        }
    }

    /// Makes one attempt at a write that was begun, and closes it when nothing is left to try.
    async fn carry_out(
        &self,
        event: Uuid,
        order: &OrderRef,
        side: &Side<'_>,
        claim: &Claim,
        write: Write,
    ) -> Result<Course, Failure> {
        match (write.plan.clone(), side) {
            (Plan::Portal(plan), Side::Portal(side)) => {
                self.to_portal(event, order, *side, claim, &plan, write).await
            }
            (Plan::Site { body }, Side::Site(site, _)) => {
                self.to_site(event, site, claim, &body, &write).await
            }
            _ => Err(words::no_shop(order)),
        }
    }

    async fn to_portal(
        &self,
        event: Uuid,
        order: &OrderRef,
        side: PortalSide<'_>,
        claim: &Claim,
        plan: &PortalPlan,
        mut write: Write,
    ) -> Result<Course, Failure> {
        if let Some(wait) = PortalSide::unsettled_for(&write, self.config.status_settle) {
            return Ok(Course::Wait(wait));
        }
        // What was decided a moment ago, with the order in hand, needs no second look.
        if !claim.began(&write)
            && let Err(error) = side.look(order, plan, &mut write).await
        {
            return wait_or_fail(error);
        }
        if self.store.attempt(claim, write.id, self.config.status_lease).await? == Held::Lost {
            return Ok(Course::Wait(OTHERS));
        }
        match side.attempt(order, plan, &mut write).await {
            Tally::Taken => self.store.close(&write, None).await.map(|()| Course::On),
            Tally::Refused(error) => {
                self.store.close(&write, Some(event)).await?;
                Err(error.into())
            }
            Tally::Open(error) => {
                self.store.note(&write).await?;
                wait_or_fail(error)
            }
        }
    }

    async fn to_site(
        &self,
        event: Uuid,
        site: &Site,
        claim: &Claim,
        body: &str,
        write: &Write,
    ) -> Result<Course, Failure> {
        if self.store.attempt(claim, write.id, self.config.status_lease).await? == Held::Lost {
            return Ok(Course::Wait(OTHERS));
        }
        match site.send(write.id, body).await {
            Ok(()) => self.store.close(write, None).await.map(|()| Course::On),
            // As with a portal without room: nothing was sent, nobody need be told.
            Err(SiteError::Busy) => Ok(Course::Wait(OTHERS)),
            Err(error) => {
                let failure = Failure::from(error);
                if matches!(failure, Failure::Dead(_)) {
                    self.store.close(write, Some(event)).await?;
                }
                Err(failure)
            }
        }
    }
}

fn key(order: &OrderRef) -> String {
    let side = if order.site { "site" } else { "portal" };
    format!("{} {side} {}", order.shop, order.id)
}

fn go_on(held: Held) -> Course {
    match held {
        Held::Yes => Course::On,
        Held::Lost => Course::Wait(OTHERS),
    }
}

/// A portal without room for a request is no failure: nothing was sent, nobody need be told.
fn wait_or_fail(error: RestError) -> Result<Course, Failure> {
    match portal::is_busy(&error) {
        Some(after) => Ok(Course::Wait(after)),
        None => Err(error.into()),
    }
}
