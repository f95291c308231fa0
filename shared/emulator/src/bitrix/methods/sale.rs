//! `sale.*`: one order, its payments, shipments and properties.

use serde_json::Value;

use super::{Answer, Call};
use crate::bitrix::{
    error::RestError,
    order::{Order, PropertyValue},
    params::Params,
    portal::Portal,
    properties,
};

pub(super) fn order_get(portal: &Portal, params: &Params) -> Result<Answer, RestError> {
    params.only(&["id"])?;
    let order = portal.orders.get(&params.id("id")?).ok_or_else(RestError::no_order)?;
    Ok(Answer::of(format!(r#"{{"order":{}}}"#, order.full())))
}

/// Only `statusId` and `comments` may be written: Parom has no business with the rest.
pub(super) fn order_update(
    portal: &mut Portal,
    call: &mut Call<'_>,
    params: &Params,
) -> Result<Answer, RestError> {
    params.only(&["id", "fields"])?;
    let id = params.id("id")?;
    let fields = params.object("fields")?;
    fields.only(&["statusId", "comments"])?;
    let status = fields.text("statusId")?;
    let comments = fields.text("comments")?;
    if status.as_ref().is_some_and(|status| !possible(status)) {
        return Err(RestError::unknown("statusId"));
    }
    let order = portal.orders.get_mut(&id).ok_or_else(RestError::no_order)?;
    if let Some(status) = status {
        order.set_text("statusId", &status);
        order.set_text("dateStatus", &crate::clock::moscow(call.now));
        order.status_history.push(status);
        order.writes.status += 1;
    }
    if let Some(comments) = comments {
        order.set_text("comments", &comments);
        order.writes.comments += 1;
    }
    save(order, call);
    Ok(Answer::of(format!(r#"{{"order":{}}}"#, order.head(&[]))))
}

/// Properties that are not named keep their values.
pub(super) fn property_values_modify(
    portal: &mut Portal,
    call: &mut Call<'_>,
    params: &Params,
) -> Result<Answer, RestError> {
    params.only(&["fields"])?;
    let fields = params.object("fields")?;
    fields.only(&["order"])?;
    let order = fields.object("order")?;
    order.only(&["id", "propertyValues"])?;
    let id = order.id("id")?;
    let wanted = order.list("propertyValues")?;
    if wanted.is_empty() {
        return Err(RestError::no_parameter("propertyValues"));
    }
    let known = portal.orders.get(&id).ok_or_else(RestError::no_order)?;
    let values: Result<Vec<PropertyValue>, RestError> =
        wanted.iter().map(|value| property_value(known, call, value)).collect();
    for value in values? {
        let new_id = portal.new_id();
        portal.orders.entry(id).and_modify(|order| order.set_property(&value, new_id));
    }
    let order = portal.orders.get_mut(&id).ok_or_else(RestError::no_order)?;
    order.writes.properties += 1;
    save(order, call);
    Ok(Answer::of(format!(r#"{{"propertyValues":{}}}"#, order.property_values_text())))
}

pub(super) fn payment_get(portal: &Portal, params: &Params) -> Result<Answer, RestError> {
    let found = child(portal, params, "payments")?.ok_or_else(RestError::no_payment)?;
    Ok(Answer::of(format!(r#"{{"payment":{found}}}"#)))
}

pub(super) fn shipment_get(portal: &Portal, params: &Params) -> Result<Answer, RestError> {
    let found = child(portal, params, "shipments")?.ok_or_else(RestError::no_shipment)?;
    Ok(Answer::of(format!(r#"{{"shipment":{found}}}"#)))
}

fn child(
    portal: &Portal,
    params: &Params,
    kind: &'static str,
) -> Result<Option<String>, RestError> {
    params.only(&["id"])?;
    let id = params.id("id")?;
    let owner = portal.owners.get(&(kind, id)).and_then(|order| portal.orders.get(order));
    let children = owner.map(|order| order.children(kind)).unwrap_or_default();
    let found = children.into_iter().find(|(own, _)| *own == id);
    Ok(found.map(|(_, raw)| raw.get().to_owned()))
}

/// A value for a property that exists for the order's person type.
fn property_value(
    order: &Order,
    call: &Call<'_>,
    value: &Value,
) -> Result<PropertyValue, RestError> {
    let Value::Object(map) = value else { return Err(RestError::unknown("propertyValues")) };
    let value = Params(map.clone());
    value.only(&["orderPropsId", "value"])?;
    let property = value.id("orderPropsId")?;
    let text = value.text("value")?.ok_or_else(|| RestError::no_parameter("value"))?;
    let all = properties::all(call.settings);
    let fits =
        |one: &&properties::Property| one.id == property && one.person_type == order.person_type;
    let defined = all.iter().find(fits).map(|one| (one.code.clone(), one.name.clone()));
    let (code, name) = defined.or_else(|| order.own_property(property)).ok_or_else(|| {
        RestError::unknown(&format!("orderPropsId {property} of this person type"))
    })?;
    Ok(PropertyValue { property, code, name, value: text })
}

/// `/^[A-Za-z]{1,2}$/`, as the sale module checks it.
fn possible(status: &str) -> bool {
    (1..=2).contains(&status.len()) && status.bytes().all(|byte| byte.is_ascii_alphabetic())
}

fn save(order: &mut Order, call: &mut Call<'_>) {
    order.saved(call.now);
    order.writes.saves += 1;
    call.saved.push(order.id);
}
