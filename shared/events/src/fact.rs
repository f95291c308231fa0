//! What can have happened: each variant is one type of event.

use serde::{Deserialize, Serialize};

use crate::{CheckIssued, Money, Order, OrderRef, Quantity, ReceiptAsked, ShopId, Status, Webhook};

/// Something that happened, with all that is needed to act upon it.
///
/// The serde names are the CloudEvents `type`s; `docs/asyncapi.yaml` describes them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", content = "data")]
pub enum Fact {
    /// A shop called.
    #[serde(rename = "ru.parom.webhook.received.v1")]
    WebhookReceived(Webhook),
    /// An order was seen for the first time.
    #[serde(rename = "ru.parom.order.created.v1")]
    OrderCreated(Box<OrderFact>),
    /// A payment of the order came in.
    #[serde(rename = "ru.parom.order.paid.v1")]
    OrderPaid(Box<PaymentFact>),
    /// A shipment of the order left.
    #[serde(rename = "ru.parom.order.shipped.v1")]
    OrderShipped(Box<ShipmentFact>),
    /// The order is closed: the buyer has the goods.
    #[serde(rename = "ru.parom.order.completed.v1")]
    OrderCompleted(Box<OrderFact>),
    /// The order is cancelled.
    #[serde(rename = "ru.parom.order.cancelled.v1")]
    OrderCancelled(Box<OrderFact>),
    /// Somebody changed what the order says: goods, prices, contacts, properties. What the other
    /// facts tell (paid, shipped, cancelled) is no such change.
    #[serde(rename = "ru.parom.order.changed.v1")]
    OrderChanged(Box<OrderFact>),
    /// Goods came back.
    #[serde(rename = "ru.parom.order.returned.v1")]
    OrderReturned(Box<ReturnFact>),
    /// Money went back.
    #[serde(rename = "ru.parom.payment.refunded.v1")]
    PaymentRefunded(Box<RefundFact>),
    /// Somebody asked for a receipt.
    #[serde(rename = "ru.parom.receipt.asked.v1")]
    ReceiptAsked(Box<ReceiptAsked>),
    /// A receipt that the shop composed itself is issued.
    #[serde(rename = "ru.parom.check.issued.v1")]
    CheckIssued(Box<CheckIssued>),
    /// A service tells how its work on an order stands.
    #[serde(rename = "ru.parom.status.changed.v1")]
    StatusChanged(Box<Status>),
}

/// The order as it was when the fact came about.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OrderFact {
    /// The order.
    pub order: Order,
    /// Which time this happened to this order, from 1: cancelled, restored and cancelled again
    /// are two facts.
    pub occurrence: u32,
}

/// One payment came in.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PaymentFact {
    /// The order.
    pub order: Order,
    /// The id of the payment in `order.payments`.
    pub payment: u64,
    /// Which time this payment came in, from 1.
    pub occurrence: u32,
}

/// One shipment left.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ShipmentFact {
    /// The order.
    pub order: Order,
    /// The id of the shipment in `order.shipments`.
    pub shipment: u64,
    /// Which time it left, from 1.
    pub occurrence: u32,
}

/// Goods came back.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ReturnFact {
    /// The order after the return.
    pub order: Order,
    /// What came back this time.
    pub lines: Vec<ReturnedLine>,
    /// Which return of this order, from 1.
    pub occurrence: u32,
}

/// A part of a return.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ReturnedLine {
    /// Bitrix's basket item id.
    pub line: u64,
    /// How many came back.
    pub quantity: Quantity,
}

/// Money went back.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RefundFact {
    /// The order after the refund.
    pub order: Order,
    /// The id of the payment in `order.payments`.
    pub payment: u64,
    /// How much went back.
    pub sum: Money,
    /// Which refund of this payment, from 1.
    pub occurrence: u32,
}

impl Fact {
    /// The routing key. Its first word names the exchange: `order` and `status` are topics,
    /// `webhook` goes straight to the reader's queue.
    #[must_use]
    pub fn topic(&self) -> String {
        match self {
            Self::WebhookReceived(_) => "webhook.received".to_owned(),
            Self::OrderCreated(_) => "order.created".to_owned(),
            Self::OrderPaid(_) => "order.paid".to_owned(),
            Self::OrderShipped(_) => "order.shipped".to_owned(),
            Self::OrderCompleted(_) => "order.completed".to_owned(),
            Self::OrderCancelled(_) => "order.cancelled".to_owned(),
            Self::OrderChanged(_) => "order.changed".to_owned(),
            Self::OrderReturned(_) => "order.returned".to_owned(),
            Self::PaymentRefunded(_) => "order.refunded".to_owned(),
            Self::ReceiptAsked(_) => "order.receipt".to_owned(),
            Self::CheckIssued(_) => "status.check".to_owned(),
            Self::StatusChanged(status) => format!("status.{}", status.service),
        }
    }

    /// The shop that this is about.
    #[must_use]
    pub fn shop(&self) -> Option<&ShopId> {
        match self {
            Self::WebhookReceived(webhook) => Some(&webhook.shop),
            Self::ReceiptAsked(asked) => Some(&asked.shop),
            Self::CheckIssued(issued) => Some(&issued.shop),
            _ => self.order().map(|order| &order.shop),
        }
    }

    /// The order that this is about, where one is known.
    #[must_use]
    pub fn order(&self) -> Option<&OrderRef> {
        match self {
            Self::WebhookReceived(webhook) => webhook.order.as_ref(),
            Self::StatusChanged(status) => Some(&status.order),
            Self::ReceiptAsked(asked) => asked.order.as_ref(),
            _ => self.snapshot().map(|order| &order.key),
        }
    }

    /// The snapshot that this carries, if it is a fact about an order.
    #[must_use]
    pub fn snapshot(&self) -> Option<&Order> {
        match self {
            Self::WebhookReceived(_)
            | Self::StatusChanged(_)
            | Self::ReceiptAsked(_)
            | Self::CheckIssued(_) => None,
            Self::OrderCreated(fact)
            | Self::OrderCompleted(fact)
            | Self::OrderCancelled(fact)
            | Self::OrderChanged(fact) => Some(&fact.order),
            Self::OrderPaid(fact) => Some(&fact.order),
            Self::OrderShipped(fact) => Some(&fact.order),
            Self::OrderReturned(fact) => Some(&fact.order),
            Self::PaymentRefunded(fact) => Some(&fact.order),
        }
    }

    /// The same fact with the order as it is said to be later. `None` where `newer` is another
    /// order, is not newer, or has lost the part that the fact is about.
    ///
    /// A payment that was refunded may be gone from the newer order; the one that was told stays.
    #[must_use]
    pub fn renewed(&self, newer: &Order) -> Option<Self> {
        let told = self.snapshot()?;
        let same = |told: &OrderRef, newer: &OrderRef| {
            (&told.shop, told.id, told.site) == (&newer.shop, newer.id, newer.site)
        };
        if !same(&told.key, &newer.key) || !newer.is_newer_than(told) {
            return None;
        }
        let mut fact = self.clone();
        match &mut fact {
            Self::WebhookReceived(_)
            | Self::StatusChanged(_)
            | Self::ReceiptAsked(_)
            | Self::CheckIssued(_) => return None,
            Self::OrderCreated(fact)
            | Self::OrderCompleted(fact)
            | Self::OrderCancelled(fact)
            | Self::OrderChanged(fact) => fact.order = newer.clone(),
            Self::OrderReturned(fact) => fact.order = newer.clone(),
            Self::OrderPaid(fact) => {
                newer.payment(fact.payment)?;
                fact.order = newer.clone();
            }
            Self::OrderShipped(fact) => {
                newer.shipment(fact.shipment)?;
                fact.order = newer.clone();
            }
            Self::PaymentRefunded(fact) => {
                let refunded = fact.order.payment(fact.payment).cloned();
                fact.order = newer.clone();
                if newer.payment(fact.payment).is_none() {
                    fact.order.payments.extend(refunded);
                }
            }
        }
        Some(fact)
    }

    /// What tells this fact from every other one: the text behind the event's id.
    ///
    /// Snapshots are not part of it, so that the same fact read twice from a changing order
    /// keeps its id.
    #[must_use]
    pub fn identity(&self) -> String {
        let topic = self.topic();
        match self {
            Self::WebhookReceived(webhook) => format!("{topic} {} {}", webhook.shop, webhook.call),
            Self::StatusChanged(status) => {
                format!("{topic} {} {:?} {}", status.cause, status.phase, status.step)
            }
            Self::ReceiptAsked(asked) => format!("{topic} {} {}", asked.shop, asked.name),
            Self::CheckIssued(issued) => format!("{topic} {} {}", issued.shop, issued.check),
            Self::OrderCreated(fact)
            | Self::OrderCompleted(fact)
            | Self::OrderCancelled(fact)
            | Self::OrderChanged(fact) => {
                identity(&topic, &fact.order, "order", 0, fact.occurrence)
            }
            Self::OrderPaid(fact) => {
                identity(&topic, &fact.order, "payment", fact.payment, fact.occurrence)
            }
            Self::OrderShipped(fact) => {
                identity(&topic, &fact.order, "shipment", fact.shipment, fact.occurrence)
            }
            Self::OrderReturned(fact) => {
                identity(&topic, &fact.order, "return", 0, fact.occurrence)
            }
            Self::PaymentRefunded(fact) => {
                identity(&topic, &fact.order, "payment", fact.payment, fact.occurrence)
            }
        }
    }
}

fn identity(topic: &str, order: &Order, part: &str, id: u64, occurrence: u32) -> String {
    let OrderRef { shop, id: order, site, .. } = &order.key;
    let kind = if *site { "site" } else { "portal" };
    format!("{topic} {shop} {kind} {order} {part} {id} {occurrence}")
}
