//! The reader: from a webhook to the order's snapshot, and from that to facts.

use std::{collections::HashMap, sync::Arc, time::Duration};

use bitrix::{
    Shop, Shops,
    order::{self, Snapshot},
    rest::{Portal, RestError, RestErrorKind},
    webhook::Concern,
};
use events::{Channel, Event, Fact, Order, OrderRef, ShopId, Webhook};
use runtime::{Failure, Step};
use serde::{Deserialize, Serialize};
use time::OffsetDateTime;
use uuid::Uuid;

use crate::{
    content::{self, Age, Stamp},
    diff::{self, Ledger, Rules},
    gauges::Gauges,
    store::{Held, Next, Saved, Store},
    words::{self, Asked},
};

/// A read that began this much after a webhook came has seen what the webhook tells of: more than
/// the clocks of two replicas may differ.
const CLOCKS: Duration = Duration::from_secs(2);
/// Between two reads of an order of which nothing tells the newer.
const BREATH: Duration = Duration::from_secs(1);
/// `ONSALEBEFOREORDERDELETE` is told before the order is gone: how long after a look at one that
/// is still there the next one follows.
const LOOKS: [Duration; 2] = [Duration::from_secs(3), Duration::from_secs(60)];

/// What is kept of a webhook's job.
#[derive(Debug, Default, Serialize, Deserialize)]
pub struct State {
    /// How often an order that is to be deleted was looked at and was still there.
    looks: usize,
    /// What came of it, for people who look at the job.
    outcome: Option<String>,
}

/// Reads webhooks into facts.
#[derive(Debug, Clone)]
pub(crate) struct Reader {
    pub store: Store,
    pub shops: Arc<Shops>,
    pub portals: HashMap<ShopId, Portal>,
    pub gauges: Gauges,
}

/// What came of a look at an order.
enum Outcome {
    /// Read; the word is for metrics, the facts are for everybody.
    Read(&'static str, Vec<Event>),
    /// To be looked at later, and nobody's fault.
    Later(Duration),
}

/// A webhook in hand.
#[derive(Clone, Copy)]
struct Call<'a> {
    /// Under what the facts of this look are kept.
    id: Uuid,
    at: OffsetDateTime,
    webhook: &'a Webhook,
    shop: &'a Shop,
}

/// A snapshot, and when it was got.
struct Reading {
    order: Order,
    sequence: Option<u64>,
    asked_at: OffsetDateTime,
    read_at: OffsetDateTime,
}

impl Reader {
    /// Reads one webhook.
    pub(crate) async fn step(&self, event: &Event, state: State) -> Result<Step<State>, Failure> {
        let Fact::WebhookReceived(webhook) = &event.fact else {
            return Err(words::not_a_webhook());
        };
        let shop =
            self.shops.by_id(&webhook.shop).ok_or_else(|| words::unknown_shop(&webhook.shop))?;
        let call = Call { id: look_id(event.id(), state.looks), at: event.time(), webhook, shop };
        let concern = concern(webhook);
        let outcome = match (concern, &webhook.body) {
            (None, Some(body)) => self.read(call, body).await?,
            (None, None) => return Err(words::not_a_webhook()),
            (Some(concern), _) => self.ask(call, concern).await?,
        };
        let (word, facts) = match outcome {
            Outcome::Later(wait) => return Ok(Step::wait(state, wait)),
            Outcome::Read(word, facts) => (word, facts),
        };
        self.gauges.read(word);
        let deleting = matches!(concern, Some(Concern::OrderDeleted(_))) && word != GONE;
        let again = LOOKS.get(state.looks).filter(|_| deleting);
        let looks = state.looks + usize::from(again.is_some());
        let state = State { looks, outcome: Some(word.to_owned()) };
        let step = match again {
            Some(wait) => Step::wait(state, *wait),
            None => Step::done(state),
        };
        Ok(facts.into_iter().fold(step, Step::emit))
    }

    /// The site sent the order along.
    async fn read(&self, call: Call<'_>, body: &str) -> Result<Outcome, Failure> {
        let Snapshot { order, sequence } =
            order::from_snapshot(body, &call.webhook.shop, &call.shop.properties)
                .map_err(|error| words::broken(&error))?;
        let reading = Reading { order, sequence, asked_at: call.at, read_at: call.at };
        self.take(call, reading).await
    }

    /// Asks the portal for the order that the webhook names.
    async fn ask(&self, call: Call<'_>, concern: Concern) -> Result<Outcome, Failure> {
        let shop = &call.webhook.shop;
        let portal = self.portals.get(shop).ok_or_else(|| words::unknown_shop(shop))?;
        let id = match self.resolve(shop, portal, concern).await {
            Ok(Some(id)) => id,
            Ok(None) => return Ok(Outcome::Read("nothing", Vec::new())),
            Err(unresolved) => return unresolved,
        };
        let key = OrderRef { shop: shop.clone(), id, number: id.to_string(), site: false };
        let known = self.store.known(&key, call.id).await.map_err(words::database)?;
        if let Some(told) = known.told {
            return Ok(Outcome::Read("told", told));
        }
        // A deletion is not seen by having read before it, and the poll has compared times itself:
        // by the portal's clock, which may lag behind ours.
        let polled = call.webhook.channel == Channel::Reconcile;
        let covers = !polled && !matches!(concern, Concern::OrderDeleted(_));
        if covers && known.asked_at.is_some_and(|asked| asked >= call.at + CLOCKS) {
            return Ok(Outcome::Read("covered", Vec::new()));
        }
        let asked_at = OffsetDateTime::now_utc();
        match portal.order(id).await {
            Ok(text) => {
                let order = order::from_rest(text.get(), shop, &call.shop.properties)
                    .map_err(|error| words::broken(&error))?;
                let read_at = OffsetDateTime::now_utc();
                self.take(call, Reading { order, sequence: None, asked_at, read_at }).await
            }
            Err(RestError { kind: RestErrorKind::NoSuchOrder, .. }) => {
                self.miss(call, &key, asked_at).await
            }
            Err(error) => refuse(error, Asked::Order, id),
        }
    }

    /// Which order a call is about; `None` when it is about none that there is.
    async fn resolve(
        &self,
        shop: &ShopId,
        portal: &Portal,
        concern: Concern,
    ) -> Result<Option<u64>, Result<Outcome, Failure>> {
        let failed = |error| Err(words::database(error));
        let (id, asked) = match concern {
            Concern::Order(id) | Concern::OrderDeleted(id) => return Ok(Some(id)),
            Concern::Nothing => return Ok(None),
            Concern::Payment(id) => {
                match self.store.order_of_payment(shop, id).await.map_err(failed)? {
                    Some(order) => return Ok(Some(order)),
                    None => (id, portal.payment_order(id).await),
                }
            }
            Concern::Shipment(id) => {
                match self.store.order_of_shipment(shop, id).await.map_err(failed)? {
                    Some(order) => return Ok(Some(order)),
                    None => (id, portal.shipment_order(id).await),
                }
            }
        };
        match asked {
            Ok(order) => Ok(Some(order)),
            Err(RestError { kind: RestErrorKind::NotFound { .. }, .. }) => Ok(None),
            Err(error) => Err(refuse(error, Asked::Part, id)),
        }
    }

    /// Compares a snapshot with the stored one and tells what follows.
    async fn take(&self, call: Call<'_>, reading: Reading) -> Result<Outcome, Failure> {
        let Reading { order, sequence, asked_at, read_at } = reading;
        let stamp = Stamp::of(&order, sequence);
        let mut next = Next { stamp, ledger: Ledger::default(), asked_at, read_at, order };
        loop {
            let mut held =
                self.store.hold(&next.order.key, call.id).await.map_err(words::database)?;
            if let Some(told) = held.told.take() {
                return Ok(Outcome::Read("told", told));
            }
            match age(&held, &next) {
                Age::Older => return Ok(Outcome::Read("older", Vec::new())),
                Age::Same => {
                    let touched = held.touch(&next.order.key, asked_at, read_at).await;
                    touched.map_err(words::database)?;
                    return Ok(Outcome::Read("unchanged", Vec::new()));
                }
                Age::Unclear => return Ok(Outcome::Later(BREATH)),
                Age::Newer => {}
            }
            let meaning = call.shop.statuses.meaning(&next.order.status);
            let meaning = meaning.ok_or_else(|| words::unknown_status(&next.order))?;
            let rules = Rules { meaning, since: call.shop.since };
            let last = held.stored.as_ref();
            // Receipts and documents follow it, so it does not change under an order that is under way.
            next.order.marks_by = last.map_or(call.shop.marks, |last| last.order.marks_by);
            let (mut facts, mut ledger) =
                diff::diff(last.map(|last| &last.ledger), &next.order, rules);
            facts
                .extend(last.and_then(|last| diff::changed(&last.order, &next.order, &mut ledger)));
            next.ledger = ledger;
            if held.save(&next, &facts).await.map_err(words::database)? == Saved::Yes {
                let word = if facts.is_empty() { "unchanged" } else { "told" };
                return Ok(Outcome::Read(word, facts));
            }
        }
    }

    /// The portal has no such order: it was deleted, or never was.
    async fn miss(
        &self,
        call: Call<'_>,
        key: &OrderRef,
        asked_at: OffsetDateTime,
    ) -> Result<Outcome, Failure> {
        let mut held = self.store.hold(key, call.id).await.map_err(words::database)?;
        if let Some(told) = held.told.take() {
            return Ok(Outcome::Read(GONE, told));
        }
        let Some(last) = &held.stored else { return Ok(Outcome::Read(GONE, Vec::new())) };
        let (facts, ledger, order) = diff::deleted(&last.ledger, &last.order);
        let stamp = Stamp { hash: content::hash(&order), ..last.stamp };
        let read_at = OffsetDateTime::now_utc();
        let next = Next { order, stamp, ledger, asked_at, read_at };
        held.save(&next, &facts).await.map_err(words::database)?;
        Ok(Outcome::Read(GONE, facts))
    }
}

/// The order is not in the shop any more.
const GONE: &str = "gone";

/// What a call is about; `None` where it carries the order itself.
fn concern(webhook: &Webhook) -> Option<Concern> {
    match (webhook.channel, webhook.entity) {
        (Channel::Site, _) => None,
        (_, None) => Some(Concern::Nothing),
        (Channel::Reconcile, Some(id)) => Some(Concern::Order(id)),
        (Channel::Bitrix24, Some(id)) => Some(Concern::of(&webhook.name, id)),
    }
}

/// The facts of each look are kept under an id of their own.
fn look_id(event: Uuid, looks: usize) -> Uuid {
    match looks {
        0 => event,
        looks => Uuid::new_v5(&event, looks.to_string().as_bytes()),
    }
}

/// How the snapshot relates to the stored one. Where the shop's counters do not tell, two reads
/// by REST are told apart by when they were made, and of two snapshots of a site the one that
/// came later is taken; [`Age::Unclear`] asks for another read.
fn age(held: &Held, next: &Next) -> Age {
    let Some(last) = &held.stored else { return Age::Newer };
    match next.stamp.against(&last.stamp) {
        Age::Unclear if next.order.key.site || next.asked_at > last.read_at => Age::Newer,
        age => age,
    }
}

/// Waiting for the portal's rate limit is no failure: it burns no attempt and is not told.
fn refuse(error: RestError, asked: Asked, id: u64) -> Result<Outcome, Failure> {
    match words::busy(&error) {
        Some(after) => Ok(Outcome::Later(after)),
        None => Err(words::portal(error, asked, id)),
    }
}
