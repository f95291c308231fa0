//! A write on a portal's order.
//!
//! Properties, the order's status and notifications (which have a tag) are set, so setting them
//! twice is the same as once. A comment is not: `crm.timeline.comment.add` has no idempotency key.
//! So each comment ends with a mark of its write, and where an attempt left nobody knowing what it
//! did, the next one first looks for the mark in the timeline. The mark, and not the text, is
//! looked for: two comments may rightly read the same, and Bitrix is free to reformat a text.
//! The look is only to be trusted once the portal has surely ended the earlier request, which it
//! does within 60 s; until then the write waits. A quiet, successful write costs no look.

use std::{collections::BTreeSet, time::Duration};

use bitrix::{
    Shop,
    rest::{Call, OrderHead, Portal, Reply, RestError, RestErrorKind},
    shops::PortalSettings,
};
use events::OrderRef;
use runtime::Failure;
use time::OffsetDateTime;
use uuid::Uuid;

use crate::{
    book::Write,
    news::{News, Part, Said},
    plan::{PortalFacts, PortalPlan},
    words::Language,
};

/// A portal and its settings.
#[derive(Debug, Clone, Copy)]
pub(crate) struct PortalSide<'a> {
    pub portal: &'a Portal,
    pub settings: &'a PortalSettings,
    pub shop: &'a Shop,
}

/// What an attempt came to.
#[derive(Debug)]
pub(crate) enum Tally {
    /// Every part has been taken.
    Taken,
    /// What has not been taken was refused for good.
    Refused(RestError),
    /// Some of it is to be tried again.
    Open(RestError),
}

impl PortalSide<'_> {
    /// Decides what is to be written.
    pub(crate) async fn plan(
        self,
        write: Uuid,
        order: &OrderRef,
        said: &[Said],
        news: &News<'_>,
        language: Language,
    ) -> Result<PortalPlan, RestError> {
        let head = self.head(order.id).await?;
        let wanted: Vec<&str> = news.properties.keys().copied().collect();
        let ids = match wanted.as_slice() {
            [] => std::sync::Arc::default(),
            wanted => self.portal.properties(head.person_type, wanted).await?,
        };
        let facts = PortalFacts { head: &head, ids: &ids, settings: self.settings, language };
        Ok(PortalPlan::new(write, order, said, news, &facts))
    }

    /// How long a repeated attempt must wait until the portal has surely ended the last one.
    pub(crate) fn unsettled_for(write: &Write, settle: Duration) -> Option<Duration> {
        let tried_at = write.tried_at.filter(|_| write.unsettled)?;
        Duration::try_from(tried_at + settle - OffsetDateTime::now_utc()).ok()
    }

    /// Before a write that was begun earlier is gone on with: looks what of the plan is settled by
    /// now, by an earlier attempt or by the shop's own people.
    pub(crate) async fn look(
        self,
        order: &OrderRef,
        plan: &PortalPlan,
        write: &mut Write,
    ) -> Result<(), RestError> {
        if pends(write, Part::Properties) || pends(write, Part::OrderStatus) {
            let head = self.head(order.id).await?;
            if plan
                .properties
                .iter()
                .all(|(code, (_, value))| head.properties.get(code) == Some(value))
            {
                write.done.insert(Part::Properties);
            }
            if plan.order_status.as_ref().is_none_or(|change| change.from != head.status) {
                write.done.insert(Part::OrderStatus);
            }
        }
        if let Some(comment) = plan.comment.as_ref().filter(|_| pends(write, Part::Comment))
            && write.unsettled
            && self.portal.has_comment(order.id, &comment.mark).await?
        {
            write.done.insert(Part::Comment);
        }
        Ok(())
    }

    /// Makes the calls that are left to make, in one request, and notes in `write` what was taken.
    pub(crate) async fn attempt(
        self,
        order: &OrderRef,
        plan: &PortalPlan,
        write: &mut Write,
    ) -> Tally {
        let (parts, calls): (Vec<Part>, Vec<Call>) =
            self.calls(order, plan).into_iter().filter(|(part, _)| pends(write, *part)).unzip();
        let replies = self.portal.together(calls).await;
        let failed: BTreeSet<Part> =
            parts.iter().zip(&replies).filter(|(_, r)| r.is_err()).map(|(part, _)| *part).collect();
        write.done.extend(parts.into_iter().filter(|part| !failed.contains(part)));
        tally(write, replies)
    }

    fn calls(self, order: &OrderRef, plan: &PortalPlan) -> Vec<(Part, Call)> {
        let mut calls = Vec::new();
        if !plan.properties.is_empty() {
            let values = plan.properties.values().map(|(id, value)| (*id, value.as_str()));
            calls.push((Part::Properties, Call::order_properties(order.id, values)));
        }
        if let Some(change) = &plan.order_status {
            calls.push((Part::OrderStatus, Call::order_status(order.id, &change.to)));
        }
        if let Some(comment) = &plan.comment {
            calls.push((Part::Comment, Call::comment(order.id, &comment.text)));
        }
        for notice in &plan.notices {
            let call = self.portal.notification(notice.user, &notice.text, &notice.tag);
            calls.push((Part::Notice, call));
        }
        calls
    }

    async fn head(self, order: u64) -> Result<OrderHead, RestError> {
        let text = self.portal.order(order).await?;
        OrderHead::parse(&text).map_err(|kind| RestError { method: "sale.order.get", kind })
    }
}

fn pends(write: &Write, part: Part) -> bool {
    !write.done.contains(&part)
}

/// One refusal that may pass keeps the write open: it is tried again with what was refused for
/// good, which costs nothing and may have been mended by then.
fn tally(write: &mut Write, replies: Vec<Result<Reply, RestError>>) -> Tally {
    let errors: Vec<RestError> = replies.into_iter().filter_map(Result::err).collect();
    write.unsettled = errors.iter().any(|error| error.kind.is_unsettled());
    let passes = |error: &&RestError| !matches!(Failure::from((*error).clone()), Failure::Dead(_));
    match errors.iter().find(passes).or(errors.first()) {
        None => Tally::Taken,
        Some(error) if passes(&error) => Tally::Open(error.clone()),
        Some(error) => Tally::Refused(error.clone()),
    }
}

/// Whether nothing was sent, for want of room in the portal's rate: a wait, and no failure.
pub(crate) fn is_busy(error: &RestError) -> Option<Duration> {
    match error.kind {
        RestErrorKind::Busy { after } => Some(after),
        _ => None,
    }
}
