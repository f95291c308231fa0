//! What an order's snapshot says about marked goods. Pure.

use events::{Label, Line, Order, PaymentState, ReturnedLine, Shipment};

use crate::{
    config::{Alcohol, Shop},
    store::{Back, Wanted},
};

/// Why an order cannot be carried out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Fault {
    /// A marked line's quantity is no whole number: the product's name.
    NotWhole(String),
    /// The shop names a code that cannot be read: the product's name and the reason's word.
    Mark(String, String),
    /// A marked product without GTIN and external code.
    ProductUnknown(String),
    /// The event names a shipment that the order does not have.
    NoShipment,
    /// A line's price is no sum that a document can name.
    Price(String),
}

/// The marked lines of an order.
pub(crate) fn wanted(order: &Order, shop: &Shop) -> Result<Vec<Wanted>, Fault> {
    marked(order, &shop.alcohol).map(|line| want(line, shop)).collect()
}

/// The lines whose codes are the register's.
pub(crate) fn marked<'a>(
    order: &'a Order,
    alcohol: &'a Alcohol,
) -> impl Iterator<Item = &'a Line> + 'a {
    order.lines.iter().filter(move |line| is_marked(line, alcohol))
}

fn is_marked(line: &Line, alcohol: &Alcohol) -> bool {
    (line.marked || !line.marks.is_empty()) && !is_excised(line, alcohol)
}

/// Whether a line is alcohol with excise marks, which `egais` writes off: no code of this register.
///
/// Beer is in both registers: its line is told by codes that are labels, or by its group.
fn is_excised(line: &Line, alcohol: &Alcohol) -> bool {
    let property = |name: &String| {
        line.properties.get(name).map(|text| text.trim()).filter(|text| !text.is_empty())
    };
    let group = property(&alcohol.group_property);
    if group.is_none() && property(&alcohol.alc_code_property).is_none() {
        return false;
    }
    let has_label = line.marks.iter().any(|mark| Label::of(mark).is_ok());
    !has_label && !group.is_some_and(|group| alcohol.also_marked.iter().any(|one| one == group))
}

fn want(line: &Line, shop: &Shop) -> Result<Wanted, Fault> {
    let name = || line.name.clone();
    let count = line.quantity.as_units().and_then(|units| i64::try_from(units).ok());
    let gtin = line.properties.get(&shop.gtin_property).map(|text| text.trim().parse());
    let gtin = gtin.transpose().map_err(|_| Fault::ProductUnknown(name()))?;
    let marks: Result<Vec<Label>, _> = line.marks.iter().map(Label::of).collect();
    let marks = marks.map_err(|error| Fault::Mark(name(), error.code()))?;
    // Codes that the shop names say themselves which product it is.
    let gtin = gtin.or_else(|| marks.first().and_then(|label| label.gtin().cloned()));
    let article = line.product_xml_id.clone();
    if gtin.is_none() && article.is_none() {
        return Err(Fault::ProductUnknown(name()));
    }
    Ok(Wanted {
        line: key(line.id),
        name: name(),
        gtin,
        article,
        count: count.ok_or_else(|| Fault::NotWhole(name()))?,
        marks,
    })
}

/// Bitrix's ids are positive and far below the limit of PostgreSQL's.
fn key(line: u64) -> i64 {
    i64::try_from(line).unwrap_or(i64::MAX)
}

/// What leaves with a shipment: marked lines and pieces. A shipment that names nothing has all.
pub(crate) fn shipped(order: &Order, shop: &Shop, shipment: u64) -> Result<Vec<(i64, i64)>, Fault> {
    let found = order.shipments.iter().find(|other| other.id == shipment);
    let Shipment { items, .. } = found.ok_or(Fault::NoShipment)?;
    let quantity = |line: &Line| match items.as_slice() {
        [] => Some(line.quantity),
        items => items.iter().find(|(id, _)| *id == line.id).map(|(_, quantity)| *quantity),
    };
    let leaving = marked(order, &shop.alcohol).filter_map(|line| Some((line, quantity(line)?)));
    leaving
        .map(|(line, quantity)| {
            let units = quantity.as_units().and_then(|units| i64::try_from(units).ok());
            Ok((key(line.id), units.ok_or_else(|| Fault::NotWhole(line.name.clone()))?))
        })
        .collect()
}

/// What came back: marked lines and pieces, and which codes the shop still shows.
pub(crate) fn back(
    order: &Order,
    shop: &Shop,
    returned: &[ReturnedLine],
) -> Result<Vec<Back>, Fault> {
    let lines = returned.iter().map(|back| (order.line(back.line), back));
    let mut all = Vec::new();
    for (line, back) in lines {
        // A line that is gone from the order may have been marked: the stock knows.
        if line.is_some_and(|line| !is_marked(line, &shop.alcohol)) {
            continue;
        }
        let name = || line.map_or_else(String::new, |line| line.name.clone());
        let count = back.quantity.as_units().and_then(|units| i64::try_from(units).ok());
        let marks = line.map(|line| line.marks.as_slice()).filter(|marks| !marks.is_empty());
        let left: Option<Result<Vec<Label>, _>> =
            marks.map(|marks| marks.iter().map(Label::of).collect());
        let left = left.transpose().map_err(|error| Fault::Mark(name(), error.code()))?;
        let count = match (count, line) {
            (Some(count), _) => count,
            // Goods by weight are not marked by the piece.
            (None, None) => continue,
            (None, Some(_)) => return Err(Fault::NotWhole(name())),
        };
        all.push(Back { line: key(back.line), count, left });
    }
    Ok(all)
}

/// The price of one piece of a line in kopecks, VAT inside.
pub(crate) fn price(order: &Order, line: i64) -> Result<u64, Fault> {
    let line = u64::try_from(line).ok().and_then(|line| order.line(line));
    let kopecks = line.and_then(|line| u64::try_from(line.price.kopecks()).ok());
    kopecks.ok_or_else(|| Fault::Price(line.map_or_else(String::new, |line| line.name.clone())))
}

/// Whether the buyer had paid: some payment's money came, be it given back since.
pub(crate) fn is_paid(order: &Order) -> bool {
    order
        .payments
        .iter()
        .any(|payment| matches!(payment.state, PaymentState::Paid | PaymentState::Returned))
}
