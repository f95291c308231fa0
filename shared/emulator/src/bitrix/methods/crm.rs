//! `crm.*` and `im.*`: the deal of an order, its timeline, notifications to people.

use serde_json::json;

use super::{Answer, list};
use crate::bitrix::{error::RestError, params::Params, portal::Portal};

/// The CRM's type id of a deal.
const DEAL: u64 = 2;

/// The deals of orders: `{orderId, ownerId, ownerTypeId}`.
pub(super) fn order_entities(portal: &Portal, params: &Params) -> Result<Answer, RestError> {
    params.only(&["select", "filter", "order", "start"])?;
    let filter = params.optional_object("filter")?;
    filter.only(&["orderId", "ownerId", "ownerTypeId"])?;
    let order = filter.optional_id("orderId")?;
    let owner = filter.optional_id("ownerId")?;
    let of_deals = filter.optional_id("ownerTypeId")?.is_none_or(|kind| kind == DEAL);
    let fits = |wanted: Option<u64>, own: u64| wanted.is_none_or(|wanted| wanted == own);
    let links = portal.orders.values().filter_map(|one| Some((one.id, one.deal?)));
    let found: Vec<(u64, u64)> =
        links.filter(|(id, deal)| of_deals && fits(order, *id) && fits(owner, *deal)).collect();
    list::page(params, &found, "orderEntity", |(order, deal)| {
        json!({"orderId": order, "ownerId": deal, "ownerTypeId": DEAL}).to_string()
    })
}

/// A comment in the timeline of an order or of its deal.
pub(super) fn timeline_comment_add(
    portal: &mut Portal,
    params: &Params,
) -> Result<Answer, RestError> {
    params.only(&["fields"])?;
    let fields = params.object("fields")?;
    fields.only(&["ENTITY_ID", "ENTITY_TYPE", "COMMENT", "AUTHOR_ID"])?;
    let entity = fields.id("ENTITY_ID")?;
    fields.optional_id("AUTHOR_ID")?;
    let comment = fields.text("COMMENT")?.filter(|comment| !comment.trim().is_empty());
    let comment = comment
        .ok_or_else(|| RestError::named("INVALID_ARG_VALUE", "Empty comment message.").broken())?;
    let kind = fields.text("ENTITY_TYPE")?;
    let order = match kind.as_deref() {
        Some("order") => Some(entity),
        Some("deal") => portal.deals.get(&entity).copied(),
        Some(_) => return Err(RestError::unknown("ENTITY_TYPE")),
        None => return Err(RestError::no_parameter("ENTITY_TYPE")),
    };
    let order = order.and_then(|id| portal.orders.get_mut(&id));
    let order = order.ok_or_else(|| RestError::named("NOT_FOUND", "Not found."))?;
    order.timeline.push(comment);
    order.writes.timeline += 1;
    Ok(Answer::of(portal.new_id().to_string()))
}

/// The comments of an order, oldest first unless asked otherwise.
pub(super) fn timeline_comment_list(portal: &Portal, params: &Params) -> Result<Answer, RestError> {
    params.only(&["select", "filter", "order", "start"])?;
    let filter = params.object("filter")?;
    filter.only(&["ENTITY_ID", "ENTITY_TYPE"])?;
    let id = filter.id("ENTITY_ID")?;
    if filter.text("ENTITY_TYPE")?.as_deref() != Some("order") {
        return Err(RestError::unknown("filter ENTITY_TYPE"));
    }
    let timeline = portal.orders.get(&id).map(|order| order.timeline.as_slice());
    let mut found: Vec<(u64, &String)> = (1..).zip(timeline.unwrap_or_default()).collect();
    let order = params.optional_object("order")?;
    order.only(&["ID"])?;
    if list::descends(&order, "ID")? {
        found.reverse();
    }
    list::bare_page(params, &found, |(number, comment)| {
        json!({"ID": number.to_string(), "COMMENT": comment}).to_string()
    })
}

/// A notification; a later one with the same `TAG` takes its place.
///
/// By an incoming webhook a tag only works together with `CLIENT_ID`; without it the tag is ignored, and booked.
pub(super) fn notify_system_add(portal: &mut Portal, params: &Params) -> Result<Answer, RestError> {
    params.only(&["USER_ID", "MESSAGE", "MESSAGE_OUT", "TAG", "SUB_TAG", "CLIENT_ID"])?;
    let user = params.optional_id("USER_ID")?.filter(|user| *user > 0);
    user.ok_or_else(|| RestError::named("USER_ID_EMPTY", "User ID can't be empty").broken())?;
    let message = params.text("MESSAGE")?.map(|message| message.trim().to_owned());
    let message = message
        .filter(|message| !message.is_empty())
        .ok_or_else(|| RestError::named("MESSAGE_EMPTY", "Message can't be empty").broken())?;
    let tag = params.text("TAG")?;
    let client = params.text("CLIENT_ID")?;
    if tag.is_some() && client.is_none() {
        let what = "im.notify.system.add by webhook: TAG without CLIENT_ID has no effect";
        portal.violations.add(what.to_owned());
    }
    let id = portal.new_id();
    portal.notifications.add(id, message, tag.filter(|_| client.is_some()));
    Ok(Answer::of(id.to_string()))
}
