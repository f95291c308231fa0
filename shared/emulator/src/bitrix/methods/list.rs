//! Lists: 50 records a page, `start`, `next`, `total`.

use std::cmp::Ordering;

use serde_json::Value;
use time::{OffsetDateTime, format_description::well_known::Rfc3339};

use super::{Answer, Call, PAGE};
use crate::bitrix::{
    error::RestError,
    order::Order,
    params::{self, Params},
    portal::Portal,
    properties,
};

/// Fields of an order that can be selected.
const SELECTABLE: &str = "id lid dateInsert dateUpdate personTypeId personTypeXmlId statusId dateStatus empStatusId \
    marked dateMarked empMarkedId reasonMarked price discountValue taxValue userDescription additionalInfo comments \
    companyId responsibleId recurringId lockedBy dateLock recountFlag affiliateId updated1c orderTopic xmlId \
    statusXmlId id1c version version1c externalOrder canceled dateCanceled empCanceledId reasonCanceled userId \
    currency accountNumber payed deducted *";

/// One condition of a filter.
type Condition = Box<dyn Fn(&Order) -> bool>;

/// Filters by `id`, `dateUpdate` (with `>=`, `>`, `<=`, `<`) and the flags and status (also with `=`, `@`).
///
/// Sorts by `dateUpdate`, then by `id`, as far as `order` names them; by `id` without it.
pub(super) fn orders(portal: &Portal, params: &Params) -> Result<Answer, RestError> {
    params.only(&["select", "filter", "order", "start"])?;
    let select = select(params)?;
    let filter = params.optional_object("filter")?;
    let conditions: Result<Vec<Condition>, RestError> =
        filter.0.iter().map(|(key, value)| condition(key, value)).collect();
    let conditions = conditions?;
    let mut found: Vec<&Order> =
        portal.orders.values().filter(|order| conditions.iter().all(|fits| fits(order))).collect();
    sort(&mut found, &params.optional_object("order")?)?;
    page(params, &found, "orders", |order| order.head(&select))
}

/// The order properties of all person types.
pub(super) fn properties(call: &Call<'_>, params: &Params) -> Result<Answer, RestError> {
    params.only(&["select", "filter", "order", "start"])?;
    let filter = params.optional_object("filter")?;
    let mut found = properties::filtered(properties::all(call.settings), &filter)?;
    let order = params.optional_object("order")?;
    order.only(&["id"])?;
    if descends(&order, "id")? {
        found.reverse();
    }
    page(params, &found, "properties", |property| property.json().to_string())
}

/// One page as the result of a list, under its name.
pub(super) fn page<T>(
    params: &Params,
    found: &[T],
    name: &str,
    show: impl Fn(&T) -> String,
) -> Result<Answer, RestError> {
    let bare = bare_page(params, found, show)?;
    Ok(Answer { result: format!(r#"{{"{name}":{}}}"#, bare.result), ..bare })
}

/// One page as the result of a list that is the result itself.
pub(super) fn bare_page<T>(
    params: &Params,
    found: &[T],
    show: impl Fn(&T) -> String,
) -> Result<Answer, RestError> {
    // -1 asks for the first page without the total.
    let uncounted = params.text("start")?.is_some_and(|start| start == "-1");
    let start = if uncounted { 0 } else { params.optional_id("start")?.unwrap_or_default() };
    let start = usize::try_from(start).unwrap_or(usize::MAX);
    let shown: Vec<String> = found.iter().skip(start).take(PAGE).map(show).collect();
    let end = start.saturating_add(PAGE);
    Ok(Answer {
        result: format!("[{}]", shown.join(",")),
        total: Some(found.len()).filter(|_| !uncounted),
        next: Some(end).filter(|end| *end < found.len() && !uncounted),
    })
}

fn select(params: &Params) -> Result<Vec<String>, RestError> {
    let names: Vec<String> = params.list("select")?.iter().filter_map(params::text).collect();
    match names.iter().find(|name| !SELECTABLE.split(' ').any(|known| known == name.as_str())) {
        Some(name) => Err(RestError::unknown(&format!("select {name}"))),
        None => Ok(names),
    }
}

fn condition(key: &str, value: &Value) -> Result<Condition, RestError> {
    let field = key.trim_start_matches(['>', '<', '=', '@']);
    let prefix = key.strip_suffix(field).unwrap_or_default();
    let wrong = || RestError::unknown(&format!("filter {key}"));
    match (field, prefix) {
        ("id", "" | "=" | ">=" | ">" | "<=" | "<") => {
            let id = params::id(value).ok_or_else(wrong)?;
            let holds = comparison(prefix);
            Ok(Box::new(move |order| holds(order.id.cmp(&id))))
        }
        ("dateUpdate", "" | "=" | ">=" | ">" | "<=" | "<") => {
            let date = value.as_str().and_then(|date| OffsetDateTime::parse(date, &Rfc3339).ok());
            let date = date.ok_or_else(wrong)?;
            let holds = comparison(prefix);
            // Bitrix keeps whole seconds.
            Ok(Box::new(move |order| {
                holds(order.updated.unix_timestamp().cmp(&date.unix_timestamp()))
            }))
        }
        ("statusId" | "payed" | "canceled" | "deducted" | "accountNumber", "" | "=" | "@") => {
            let wanted: Vec<String> = match value {
                Value::Array(list) => list.iter().filter_map(params::text).collect(),
                one => vec![params::text(one).ok_or_else(wrong)?],
            };
            let field = field.to_owned();
            Ok(Box::new(move |order| order.text(&field).is_some_and(|own| wanted.contains(&own))))
        }
        _ => Err(wrong()),
    }
}

fn comparison(prefix: &str) -> fn(Ordering) -> bool {
    match prefix {
        ">=" => Ordering::is_ge,
        ">" => Ordering::is_gt,
        "<=" => Ordering::is_le,
        "<" => Ordering::is_lt,
        _ => Ordering::is_eq,
    }
}

fn sort(orders: &mut [&Order], by: &Params) -> Result<(), RestError> {
    by.only(&["dateUpdate", "id"])?;
    if descends(by, "id")? {
        orders.reverse();
    }
    if by.0.contains_key("dateUpdate") {
        let descending = descends(by, "dateUpdate")?;
        orders.sort_by(|a, b| {
            let ascending = a.updated.unix_timestamp().cmp(&b.updated.unix_timestamp());
            if descending { ascending.reverse() } else { ascending }
        });
    }
    Ok(())
}

pub(super) fn descends(order: &Params, field: &str) -> Result<bool, RestError> {
    match order.text(field)?.map(|direction| direction.to_ascii_lowercase()).as_deref() {
        None | Some("asc") => Ok(false),
        Some("desc") => Ok(true),
        Some(_) => Err(RestError::unknown(&format!("order {field}"))),
    }
}
