//! What a plan must know of an order: its points, its buyer, what was done before.

use events::{Money, Order, OrderRef, Phone};
use runtime::Failure;

use crate::{
    ask::{self, Asking},
    bank::Bank,
    ledger::Key,
    plan::{Planner, Who},
    rules::value,
    store::{Done, Saved},
    words,
};

/// Whether an order is over as far as this snapshot of it can tell: it is cancelled, or was taken
/// no later than one that was.
pub(crate) async fn is_over(bank: &Bank, order: &Order) -> Result<bool, Failure> {
    Ok(order.canceled
        || ended(bank, order).await?.is_some_and(|ended| !saved(order).is_after(ended)))
}

async fn ended(bank: &Bank, order: &Order) -> Result<Option<Saved>, Failure> {
    bank.store().ended(&ask::order(order)).await.map_err(|error| {
        tracing::debug!(%error, "an order's cancellation cannot be read");
        words::store_away(&order.key)
    })
}

fn saved(order: &Order) -> Saved {
    let version = order.version.and_then(|version| i64::try_from(version).ok());
    Saved { version, updated_at: order.updated_at }
}

impl Planner<'_> {
    /// The value of the goods that came back before this return, of which the operation `of` moved points.
    pub(crate) async fn returned_before(
        &self,
        order: &OrderRef,
        of: &Key,
        occurrence: u32,
        value: i64,
    ) -> Result<i64, Failure> {
        let before = self.bank.store().returned_before(of, occurrence, value).await;
        before.map_err(|error| {
            tracing::debug!(%error, "an order's returns cannot be read");
            words::store_away(order)
        })
    }

    /// What the order's goods are worth at full prices, in kopecks: the most that was ever seen.
    pub(crate) async fn goods(&self, order: &Order) -> Result<i64, Failure> {
        let now = order.lines.iter().map(|line| value(line, line.quantity)).sum::<Option<i64>>();
        let now = now.ok_or_else(|| words::return_unclear(&order.key))?;
        self.bank.store().goods(&ask::order(order), now).await.map_err(|error| {
            tracing::debug!(%error, "the value of an order's goods cannot be kept");
            words::store_away(&order.key)
        })
    }

    /// Notes that the order is cancelled, before it is looked what is to be undone: what is carried
    /// out later sees it.
    pub(crate) async fn end(&self, order: &Order) -> Result<(), Failure> {
        self.bank.store().end(&ask::order(order), saved(order)).await.map_err(|error| {
            tracing::debug!(%error, "an order's cancellation cannot be written");
            words::store_away(&order.key)
        })
    }

    /// Whether the order was ever cancelled.
    pub(crate) async fn has_ended(&self, order: &Order) -> Result<bool, Failure> {
        Ok(ended(self.bank, order).await?.is_some())
    }

    /// Kopecks of points in the order's property.
    pub(crate) fn points(&self, order: &Order) -> Result<i64, Failure> {
        let property = &self.shop.points_property;
        let Some(text) = order.properties.get(property) else { return Ok(0) };
        match text.trim().parse::<Money>() {
            Ok(points) if !points.is_negative() => Ok(points.kopecks()),
            _ => Err(words::points_invalid(&order.key, property)),
        }
    }

    /// The user who spends points. A guest's phone shows nothing, so a guest spends none.
    pub(crate) async fn user(&self, order: &Order) -> Result<Who, Failure> {
        match self.who(order).await? {
            Some(who) if who.customer.is_some() => Ok(who),
            _ => Err(words::buyer_unknown(&order.key)),
        }
    }

    pub(crate) async fn who(&self, order: &Order) -> Result<Option<Who>, Failure> {
        let phone = order.buyer.phone.as_deref().and_then(|phone| phone.parse::<Phone>().ok());
        let user = order.buyer.id.and_then(|id| i64::try_from(id).ok());
        let Some(user) = user else {
            return Ok(phone.map(|phone| Who { customer: None, phone: Some(phone) }));
        };
        let customer = self.bank.store().buyer(order.key.shop.as_str(), user, phone).await;
        let customer = customer.map_err(|error| {
            tracing::debug!(%error, "a buyer cannot be written");
            words::store_away(&order.key)
        })?;
        Ok(Some(Who { customer: Some(customer), phone: None }))
    }

    /// The order's operations of these kinds.
    pub(crate) async fn found(&self, order: &Order, kinds: &[&str]) -> Result<Vec<Done>, Failure> {
        let asking = self.asking(order, Who::OF_REFERENCE);
        let found = self.bank.store().of_order(&asking.source(), &asking.names(kinds)).await;
        found.map_err(|error| {
            tracing::debug!(%error, "an order's operations cannot be read");
            words::store_away(&order.key)
        })
    }

    /// The last one of these kinds of which something stands; without such a one, the last of
    /// which something stood.
    pub(crate) async fn standing(
        &self,
        order: &Order,
        kinds: &[&str],
    ) -> Result<Option<Done>, Failure> {
        let mut found = self.found(order, kinds).await?;
        found.retain(|done| done.applied > 0);
        let place = found.iter().rposition(Done::stands).or_else(|| found.len().checked_sub(1));
        Ok(place.map(|place| found.swap_remove(place)))
    }

    /// The first number under which nothing of this kind was asked for.
    pub(crate) async fn free(&self, order: &Order, kind: &str) -> Result<u32, Failure> {
        let found = self.found(order, &[kind]).await?;
        let asking = self.asking(order, Who::OF_REFERENCE);
        let free = |number: &u32| {
            let key = asking.key(kind, *number);
            !found.iter().any(|done| done.key == key)
        };
        let number = Asking::NUMBERS.clone().find(free);
        number.ok_or_else(|| words::refused(&order.key, "too_many_attempts"))
    }

    pub(crate) fn asking<'a>(&self, order: &'a Order, who: Who) -> Asking<'a> {
        Asking { order, who, now: self.bank.store().now() }
    }
}
