//! How an order is paid and sent: payments, shipments, and the delivery and mark codes that the
//! shipments carry.

use std::collections::{BTreeMap, BTreeSet};

use events::{Delivery, Line, MarkCode, Payment, PaymentState, Quantity, Shipment};

use super::{OrderError, Place, Problem, field::Part, scalar::Scalar, wire};

/// Without the hidden one that Bitrix keeps for goods not yet assigned, and without cancelled ones.
pub(super) fn real_shipments<'a>(
    order: &str,
    all: &'a [wire::Shipment],
) -> Result<Vec<&'a wire::Shipment>, OrderError> {
    let mut real = Vec::with_capacity(all.len());
    for wire in all {
        let part = shipment_part(order, wire);
        let system = part.flag_or("SYSTEM", &wire.system, false)?;
        if !system && !part.flag_or("CANCELED", &wire.canceled, false)? {
            real.push(wire);
        }
    }
    Ok(real)
}

/// The codes that the shipments carry, by basket item.
pub(super) fn shipped_marks(
    order: &str,
    shipments: &[&wire::Shipment],
) -> Result<BTreeMap<u64, Vec<MarkCode>>, OrderError> {
    let mut marks: BTreeMap<u64, Vec<MarkCode>> = BTreeMap::new();
    for wire in shipments {
        let part = shipment_part(order, wire);
        for item in &wire.items {
            let line = part.id("BASKET_ID", &item.basket_id)?;
            for code in item.stores.iter().filter_map(|store| store.marking_code_b64.as_ref()) {
                let Some(text) = code.text() else { continue };
                let mark = MarkCode::from_base64(text)
                    .map_err(|_| part.error("MARKING_CODE", Problem::Mark))?;
                let of_line = marks.entry(line).or_default();
                if !of_line.contains(&mark) {
                    of_line.push(mark);
                }
            }
        }
    }
    Ok(marks)
}

pub(super) fn delivery(
    order: &str,
    shipments: &[&wire::Shipment],
) -> Result<Option<Delivery>, OrderError> {
    let mut whole: Option<Delivery> = None;
    for wire in shipments {
        let part = shipment_part(order, wire);
        part.roubles(&wire.currency)?;
        let price = part.money("PRICE_DELIVERY", &wire.price_delivery)?;
        let vat = wire.vat_rate.is_some().then(|| part.vat("VAT_RATE", &wire.vat_rate));
        let vat = vat.transpose()?;
        if price.is_zero() {
            continue;
        }
        let name = wire.delivery_name.clone().and_then(Scalar::into_text);
        whole = Some(match whole {
            None => {
                Delivery { name: name.unwrap_or_else(|| "Доставка".to_owned()), price, vat }
            }
            Some(whole) if whole.vat != vat => {
                return Err(part.error("VAT_RATE", Problem::VatDiffers));
            }
            Some(whole) => Delivery {
                price: whole
                    .price
                    .checked_add(price)
                    .ok_or_else(|| part.error("PRICE_DELIVERY", Problem::TooLarge))?,
                ..whole
            },
        });
    }
    Ok(whole)
}

pub(super) fn payments(order: &str, all: &[wire::Payment]) -> Result<Vec<Payment>, OrderError> {
    let mut ids = BTreeSet::new();
    all.iter()
        .map(|wire| {
            let id = wire.id.as_ref().and_then(Scalar::id);
            let part = Part { order, place: Place::Payment(id) };
            let id = part.id("ID", &wire.id)?;
            if !ids.insert(id) {
                return Err(part.error("ID", Problem::Repeated));
            }
            part.roubles(&wire.currency)?;
            Ok(Payment {
                id,
                system: wire.pay_system_id.as_ref().and_then(Scalar::id),
                sum: part.money("SUM", &wire.sum)?,
                state: payment_state(&part, wire)?,
                paid_at: part.time_if_any("DATE_PAID", &wire.date_paid)?,
            })
        })
        .collect()
}

/// `IS_RETURN` is `N`, `Y` (back to the inner account) or `P` (back by the pay system).
fn payment_state(part: &Part<'_>, wire: &wire::Payment) -> Result<PaymentState, OrderError> {
    let paid = part.flag("PAID", &wire.paid)?;
    match wire.is_return.as_ref().map(|scalar| scalar.text().unwrap_or("N")) {
        None | Some("N" | "false") => {
            Ok(if paid { PaymentState::Paid } else { PaymentState::Open })
        }
        Some("Y" | "P" | "true") => Ok(PaymentState::Returned),
        Some(_) => Err(part.error("IS_RETURN", Problem::NotAFlag)),
    }
}

/// Items are checked against the whole basket and kept for those lines that we carry.
pub(super) fn shipments(
    order: &str,
    sent: &[&wire::Shipment],
    lines: &[Line],
    basket: &[wire::BasketItem],
) -> Result<Vec<Shipment>, OrderError> {
    let known: BTreeSet<u64> =
        basket.iter().filter_map(|item| item.id.as_ref().and_then(Scalar::id)).collect();
    let mut ids = BTreeSet::new();
    sent.iter()
        .map(|wire| {
            let part = shipment_part(order, wire);
            let id = part.id("ID", &wire.id)?;
            if !ids.insert(id) {
                return Err(part.error("ID", Problem::Repeated));
            }
            let mut items: BTreeMap<u64, Quantity> = BTreeMap::new();
            for item in &wire.items {
                let line = part.id("BASKET_ID", &item.basket_id)?;
                if !known.contains(&line) {
                    return Err(part.error("BASKET_ID", Problem::NoSuchLine));
                }
                let quantity = part.quantity("QUANTITY", &item.quantity)?;
                let whole = items.entry(line).or_insert(Quantity::ZERO);
                *whole = whole
                    .checked_add(quantity)
                    .ok_or_else(|| part.error("QUANTITY", Problem::TooLarge))?;
            }
            items.retain(|id, quantity| {
                !quantity.is_zero() && lines.iter().any(|line| line.id == *id)
            });
            Ok(Shipment {
                id,
                deducted: part.flag("DEDUCTED", &wire.deducted)?,
                deducted_at: part.time_if_any("DATE_DEDUCTED", &wire.date_deducted)?,
                items: items.into_iter().collect(),
            })
        })
        .collect()
}

fn shipment_part<'a>(order: &'a str, wire: &wire::Shipment) -> Part<'a> {
    Part { order, place: Place::Shipment(wire.id.as_ref().and_then(Scalar::id)) }
}
