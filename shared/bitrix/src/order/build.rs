//! From the wire to [`events::Order`]: every field checked, nothing guessed.

use std::collections::{BTreeMap, BTreeSet};

use events::{Buyer, Delivery, Line, MarkCode, MarksBy, Money, Order, OrderRef, ShopId, Vat};

use super::{
    MARK_BASE64_PROPERTY, MARK_PROPERTY, OrderError, Place, Problem,
    field::Part,
    parts::{delivery, payments, real_shipments, shipments, shipped_marks},
    scalar::Scalar,
    wire,
};
use crate::shops::BuyerProperties;

/// Reads an order of `shop`; `site` says which of its two sides keeps it.
pub(super) fn order(
    wire: wire::Order,
    shop: &ShopId,
    site: bool,
    codes: &BuyerProperties,
) -> Result<Order, OrderError> {
    let id = wire.id.as_ref().and_then(Scalar::text).map(ToOwned::to_owned);
    let number = wire.account_number.clone().and_then(Scalar::into_text).or(id);
    let number = number.ok_or_else(|| OrderError::unnamed("ID", Problem::Missing))?;
    let part = Part { order: &number, place: Place::Order };
    let id = part.id("ID", &wire.id)?;
    part.text("CURRENCY", &wire.currency)?;
    part.roubles(&wire.currency)?;
    let sent: Vec<&wire::Shipment> = real_shipments(&number, &wire.shipments)?;
    let lines = lines(&number, &wire.basket, &sent)?;
    let delivery = delivery(&number, &sent)?;
    let price = part.money("PRICE", &wire.price)?;
    check_sum(&part, price, &lines, delivery.as_ref())?;
    let properties = properties(wire.properties);
    Ok(Order {
        version: part.count_if_any("VERSION", &wire.version)?,
        status: part.text("STATUS_ID", &wire.status_id)?.to_owned(),
        canceled: part.flag("CANCELED", &wire.canceled)?,
        created_at: part.time("DATE_INSERT", &wire.date_insert)?,
        updated_at: part.time("DATE_UPDATE", &wire.date_update)?,
        price,
        buyer: buyer(wire.user_id, wire.user, &properties, codes),
        payments: payments(&number, &wire.payments)?,
        shipments: shipments(&number, &sent, &lines, &wire.basket)?,
        lines,
        delivery,
        properties,
        // The shop's setting, and the reader's to say: no order tells it.
        marks_by: MarksBy::default(),
        key: OrderRef { shop: shop.clone(), id, number, site },
    })
}

fn lines(
    order: &str,
    basket: &[wire::BasketItem],
    shipments: &[&wire::Shipment],
) -> Result<Vec<Line>, OrderError> {
    let mut marks = shipped_marks(order, shipments)?;
    let mut ids = BTreeSet::new();
    let mut lines = Vec::with_capacity(basket.len());
    for wire in basket {
        let part = line_part(order, wire);
        let id = part.id("ID", &wire.id)?;
        if !ids.insert(id) {
            return Err(part.error("ID", Problem::Repeated));
        }
        let line = line(&part, id, wire, marks.remove(&id).unwrap_or_default())?;
        if !is_part_of_set(wire, id) {
            lines.push(line);
        } else if line.marked || !line.marks.is_empty() {
            return Err(part.error("MARKING_CODE", Problem::MarkedSetPart));
        }
    }
    Ok(lines)
}

fn line(
    part: &Part<'_>,
    id: u64,
    wire: &wire::BasketItem,
    mut marks: Vec<MarkCode>,
) -> Result<Line, OrderError> {
    part.roubles(&wire.currency)?;
    let vat = part.line_vat("VAT_RATE", wire.vat_rate.as_ref())?;
    let taxed = !matches!(vat, Vat::None | Vat::V0);
    if taxed && !part.flag("VAT_INCLUDED", &wire.vat_included)? {
        return Err(part.error("VAT_INCLUDED", Problem::VatExcluded));
    }
    let mut properties = BTreeMap::new();
    for property in &wire.props {
        let Some(code) = property.code.as_ref().and_then(Scalar::text) else { continue };
        let Some(value) = property.value.clone().and_then(Scalar::into_text_or_list) else {
            continue;
        };
        match mark_of_property(code, &value) {
            Some(Ok(mark)) if marks.contains(&mark) => {}
            Some(Ok(mark)) => marks.push(mark),
            Some(Err(())) => return Err(part.error("MARKING_CODE", Problem::Mark)),
            None => drop(properties.insert(code.to_owned(), value)),
        }
    }
    let required = wire.marking.as_ref().and_then(|marking| marking.required.clone());
    Ok(Line {
        id,
        product: wire.product_id.as_ref().and_then(Scalar::id),
        product_xml_id: wire.product_xml_id.clone().and_then(Scalar::into_text),
        name: part.text("NAME", &wire.name)?.to_owned(),
        quantity: part.quantity("QUANTITY", &wire.quantity)?,
        unit: wire.measure_code.clone().and_then(Scalar::into_text),
        price: part.money("PRICE", &wire.price)?,
        vat,
        marked: part.flag_or("MARKING.REQUIRED", &required, !marks.is_empty())?,
        marks,
        properties,
    })
}

/// A mark code in a basket property; it is kept out of the line's properties, being secret.
fn mark_of_property(code: &str, value: &str) -> Option<Result<MarkCode, ()>> {
    match code {
        MARK_PROPERTY => Some(MarkCode::from_text(value).map_err(|_| ())),
        MARK_BASE64_PROPERTY => Some(MarkCode::from_base64(value).map_err(|_| ())),
        _ => None,
    }
}

/// The parts of a set stand in the basket beside the set, and only the set has a price that
/// counts. The set itself may name itself as its parent.
fn is_part_of_set(wire: &wire::BasketItem, id: u64) -> bool {
    wire.set_parent_id.as_ref().and_then(Scalar::id).is_some_and(|parent| parent != id)
}

/// The order must not cost more than its parts; less is a discount on the whole order.
fn check_sum(
    part: &Part<'_>,
    price: Money,
    lines: &[Line],
    delivery: Option<&Delivery>,
) -> Result<(), OrderError> {
    let sums = lines.iter().map(|line| line.price.times(line.quantity));
    let sums = sums.chain(delivery.map(|delivery| Some(delivery.price)));
    let parts = sums.collect::<Option<Vec<Money>>>().and_then(Money::sum);
    let parts = parts.ok_or_else(|| part.error("PRICE", Problem::TooLarge))?;
    if price > parts {
        return Err(part.error("PRICE", Problem::Sum { price, parts }));
    }
    Ok(())
}

fn properties(all: Vec<wire::Property>) -> BTreeMap<String, String> {
    all.into_iter()
        .filter_map(|property| {
            let code = property.code.and_then(Scalar::into_text)?;
            Some((code, property.value.and_then(Scalar::into_text_or_list)?))
        })
        .collect()
}

fn buyer(
    user_id: Option<Scalar>,
    user: Option<wire::User>,
    properties: &BTreeMap<String, String>,
    codes: &BuyerProperties,
) -> Buyer {
    let property = |code: &str| properties.get(code).cloned();
    let (id, email, phone) =
        user.map_or((user_id, None, None), |user| (user.id, user.email, user.phone));
    Buyer {
        id: id.as_ref().and_then(Scalar::id),
        name: property(&codes.name),
        email: property(&codes.email).or_else(|| email?.into_text()),
        phone: property(&codes.phone).or_else(|| phone?.into_text()),
        inn: property(&codes.inn),
        kpp: property(&codes.kpp),
    }
}

fn line_part<'a>(order: &'a str, wire: &wire::BasketItem) -> Part<'a> {
    let name = wire.name.as_ref().and_then(Scalar::text).unwrap_or("?");
    let id = wire.id.as_ref().and_then(Scalar::id);
    Part { order, place: Place::Line(id, name.chars().take(60).collect()) }
}
