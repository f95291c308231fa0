//! Bitrix's order, in the two forms in which it reaches us, read into [`events::Order`].
//!
//! Both forms hold the same fields under different names (`sale.order.get` in camel case, our
//! site module's `bitrix.order.v1` in snake case), so they share one wire type and one reading.
//! Ids come as numbers or texts, flags as `Y`/`N` or as booleans, money as JSON numbers whose
//! text is read and never a float. What we do not understand is an error that names the field.

mod build;
mod error;
mod field;
mod nesting;
mod parts;
mod scalar;
mod wire;

pub use error::{OrderError, Place, Problem};
pub use nesting::{MAX_DEPTH, is_within as nesting_is_within};
pub use scalar::id_of_text;

use events::{Order, ShopId};
use serde::Deserialize;

use crate::shops::BuyerProperties;
use scalar::Scalar;

/// The longest text of an order, in bytes.
pub const MAX_TEXT: usize = 2 * 1024 * 1024;
/// The schema of the site module's snapshot.
pub const SNAPSHOT_SCHEMA: &str = "bitrix.order.v1";
/// The basket property that holds a mark code as text, where the shop binds codes by REST.
pub const MARK_PROPERTY: &str = "MARK_CODE";
/// The same in base64: for channels that lose the separator 0x1D.
pub const MARK_BASE64_PROPERTY: &str = "MARK_CODE_B64";

/// The site module's snapshot.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Snapshot {
    /// The order.
    pub order: Order,
    /// The number of the module's outbox row: of two snapshots of one version, the higher is
    /// newer.
    pub sequence: Option<u64>,
}

/// What ingress must know of a snapshot before it answers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Glance {
    /// The order's id.
    pub id: u64,
    /// The number that people use.
    pub number: String,
}

/// Reads an order of `sale.order.get`: the text of `result.order`, as
/// [`Portal::order`](crate::rest::Portal::order) gives it.
///
/// # Errors
/// [`OrderError`] names the order, the field and what to do.
pub fn from_rest(text: &str, shop: &ShopId, buyer: &BuyerProperties) -> Result<Order, OrderError> {
    check_bounds(text)?;
    build::order(parse(text)?, shop, false, buyer)
}

/// Reads a snapshot of the site module.
///
/// # Errors
/// [`OrderError`] names the order, the field and what to do.
pub fn from_snapshot(
    text: &str,
    shop: &ShopId,
    buyer: &BuyerProperties,
) -> Result<Snapshot, OrderError> {
    check_bounds(text)?;
    let snapshot: wire::Snapshot = parse(text)?;
    check_schema(snapshot.schema.as_deref())?;
    let order = snapshot.order.ok_or_else(|| OrderError::unnamed("order", Problem::Missing))?;
    let sequence = snapshot.seq.and_then(|seq| seq.outbox_id).and_then(|id| id.id());
    Ok(Snapshot { order: build::order(order, shop, true, buyer)?, sequence })
}

/// Looks whether a text is a snapshot at all, and of which order: JSON of bounded depth, our
/// schema, an order with an id. Cheap: nothing else is kept.
///
/// # Errors
/// [`OrderError`] when it is not; such a text cannot be read later either.
pub fn glance(text: &str) -> Result<Glance, OrderError> {
    #[derive(Deserialize)]
    struct Outer<'a> {
        #[serde(borrow)]
        schema: Option<std::borrow::Cow<'a, str>>,
        order: Option<Inner>,
    }
    #[derive(Deserialize)]
    struct Inner {
        id: Option<Scalar>,
        account_number: Option<Scalar>,
    }
    check_bounds(text)?;
    let outer: Outer<'_> = parse(text)?;
    check_schema(outer.schema.as_deref())?;
    let inner = outer.order.ok_or_else(|| OrderError::unnamed("order", Problem::Missing))?;
    let id = inner.id.ok_or_else(|| OrderError::unnamed("ID", Problem::Missing))?;
    let id = id.id().ok_or_else(|| OrderError::unnamed("ID", Problem::NotANumber))?;
    let number = inner.account_number.and_then(Scalar::into_text);
    Ok(Glance { id, number: number.unwrap_or_else(|| id.to_string()) })
}

/// Whether we write this order property ourselves: what we wrote is not a change of the order.
#[must_use]
pub fn is_own_property(code: &str) -> bool {
    ["CLOUDKASSIR_", "DIADOC_", "PAROM_"].iter().any(|own| code.starts_with(own))
}

fn check_bounds(text: &str) -> Result<(), OrderError> {
    if text.len() > MAX_TEXT {
        return Err(OrderError::unnamed("", Problem::TooLong));
    }
    if !nesting::is_within(text, MAX_DEPTH) {
        return Err(OrderError::unnamed("", Problem::TooDeep));
    }
    Ok(())
}

fn check_schema(schema: Option<&str>) -> Result<(), OrderError> {
    if schema == Some(SNAPSHOT_SCHEMA) {
        Ok(())
    } else {
        Err(OrderError::unnamed("schema", Problem::Schema))
    }
}

/// The error tells the place only: serde's own message may quote personal data.
fn parse<'de, T: Deserialize<'de>>(text: &'de str) -> Result<T, OrderError> {
    serde_json::from_str(text).map_err(|error| {
        OrderError::unnamed("", Problem::NotJson { line: error.line(), column: error.column() })
    })
}

#[cfg(test)]
mod tests;
