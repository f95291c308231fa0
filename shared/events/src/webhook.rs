//! A call from the shop, as it is kept between ingress and the reader.

use std::fmt;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::{OrderRef, ShopId};

/// The way by which a change of an order reached us.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Channel {
    /// Bitrix24's outgoing webhook: it names an entity, the order is read by REST.
    Bitrix24,
    /// The site module: a signed, full snapshot of the order.
    Site,
    /// Our own poll of the orders changed since a cursor.
    Reconcile,
}

/// "This order changed", made durable before the caller is answered.
///
/// The `auth` block of a Bitrix24 call has been checked and dropped: it never gets here.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Webhook {
    /// The call's own identity: it follows from the `webhook-id` of a signed call, or from the
    /// save that a poll found. Bitrix24 gives none, so one is made on arrival (its calls are
    /// signals, and two alike may mean two changes).
    pub call: Uuid,
    /// The shop that called.
    pub shop: ShopId,
    /// By which way.
    pub channel: Channel,
    /// The Bitrix event name in upper case, such as `ONSALEORDERSAVED`; empty for our own poll.
    pub name: String,
    /// The id of the entity that the call names: of the order, or of a payment or a shipment,
    /// by `name`. Absent for snapshots, which carry the order itself.
    pub entity: Option<u64>,
    /// The order, where the call already tells which one it is: for status events and searches.
    pub order: Option<OrderRef>,
    /// The snapshot's exact text, where the call carries one.
    pub body: Option<String>,
}

/// Tells whether there is a body and shows none of it: it holds personal data.
impl fmt::Debug for Webhook {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Webhook")
            .field("call", &self.call)
            .field("shop", &self.shop)
            .field("channel", &self.channel)
            .field("name", &self.name)
            .field("entity", &self.entity)
            .field("order", &self.order)
            .field("body", &self.body.is_some())
            .finish()
    }
}
