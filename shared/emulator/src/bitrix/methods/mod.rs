//! The REST methods Parom calls, each as one function on the portal.

mod crm;
mod list;
mod sale;

use time::OffsetDateTime;

use super::{cashbox, error::RestError, params::Params, portal::Portal};
use crate::settings::BitrixSettings;

/// What a method needs beside its parameters.
#[derive(Debug)]
pub(super) struct Call<'a> {
    pub(super) now: OffsetDateTime,
    pub(super) settings: &'a BitrixSettings,
    /// Orders it has saved: each makes a webhook.
    pub(super) saved: Vec<u64>,
}

/// What a method answers.
#[derive(Debug)]
pub(super) struct Answer {
    /// `result`, as JSON text.
    pub(super) result: String,
    /// `total`, of lists.
    pub(super) total: Option<usize>,
    /// `next`, of lists that go on.
    pub(super) next: Option<usize>,
}

impl Answer {
    fn of(result: String) -> Self {
        Self { result, total: None, next: None }
    }
}

/// Records written to a page of a list.
pub(super) const PAGE: usize = 50;

/// Calls a method other than `batch`.
pub(super) fn call(
    portal: &mut Portal,
    call: &mut Call<'_>,
    method: &str,
    params: &Params,
) -> Result<Answer, RestError> {
    match method {
        "sale.order.get" => sale::order_get(portal, params),
        "sale.order.list" => list::orders(portal, params),
        "sale.order.update" => sale::order_update(portal, call, params),
        "sale.propertyvalue.modify" => sale::property_values_modify(portal, call, params),
        "sale.property.list" => list::properties(call, params),
        "sale.payment.get" => sale::payment_get(portal, params),
        "sale.shipment.get" => sale::shipment_get(portal, params),
        "sale.cashbox.check.apply" => cashbox::apply(portal, params).map(Answer::of),
        "crm.orderentity.list" => crm::order_entities(portal, params),
        "crm.timeline.comment.add" => crm::timeline_comment_add(portal, params),
        "crm.timeline.comment.list" => crm::timeline_comment_list(portal, params),
        "im.notify.system.add" => crm::notify_system_add(portal, params),
        _ => Err(RestError::no_method(method)),
    }
}
