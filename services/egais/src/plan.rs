//! What an order's snapshot says about alcohol. Pure.

use events::{Line, Order, Quantity, ReturnedLine};
use rust_decimal::Decimal;

use crate::{
    config::{Marks, Shop},
    mark::{Mark, MarkError},
};

/// A line of alcohol that leaves, as far as the order tells.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Leaving {
    pub(crate) line: i64,
    pub(crate) name: String,
    pub(crate) group: String,
    pub(crate) quantity: Decimal,
    /// All marks that the shop names for the line; more than leave now, where the line leaves in parts.
    pub(crate) marks: Vec<Mark>,
    pub(crate) alc_code: Option<String>,
    pub(crate) f2: Option<String>,
    pub(crate) price: i64,
}

/// Why an order cannot be carried out. Each names the product.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Fault {
    /// A group that the settings do not have, or none.
    Group(String, String),
    /// A mark that is none.
    Mark(String, MarkError),
    /// Goods that are marked bottle by bottle, and no whole number of them.
    NotWhole(String),
    /// A unit that EGAIS does not count the goods in: its code, or none.
    Unit(String, String),
    /// Bottles without marks: how many are missing.
    Missing(String, Decimal),
    /// Marks for goods that have none.
    Unexpected(String),
    /// The product's AlcCode is not known.
    AlcCode(String),
    /// The mark is another product's.
    OtherProduct(String),
    /// The reference of form B is not known, or there are several.
    FormB(String, usize),
    /// The product is not described by EGAIS yet.
    Product(String),
    /// The order names no receipt for the cheque: the property.
    Receipt(String),
    /// The order names the sale's receipt as that of the return: the property with its number.
    SameReceipt(String),
    /// The order names no waybill of return: the property.
    Waybill(String),
    /// More comes back than the waybill says: its number.
    MoreThanWaybill(String),
    /// What the waybill names and this return does not, another order has sold: its number and that order's.
    WaybillShared(String, String),
    /// The waybill cannot be answered by an act of ours: its number.
    WaybillUnclear(String),
    /// The event names a shipment that the order does not have.
    NoShipment,
}

/// Whether a line is alcohol: it has an AlcCode or a group.
pub(crate) fn is_alcohol(line: &Line, shop: &Shop) -> bool {
    let has = |name: &String| line.properties.get(name).is_some_and(|text| !text.trim().is_empty());
    has(&shop.alc_code_property) || has(&shop.group_property)
}

/// The lines of alcohol in a shipment. A shipment that names nothing has all.
pub(crate) fn leaving(order: &Order, shop: &Shop, shipment: u64) -> Result<Vec<Leaving>, Fault> {
    let shipment = order.shipment(shipment).ok_or(Fault::NoShipment)?;
    let quantity = |line: &Line| match shipment.items.as_slice() {
        [] => Some(line.quantity),
        items => items.iter().find(|(id, _)| *id == line.id).map(|(_, quantity)| *quantity),
    };
    let alcohol = order.lines.iter().filter(|line| is_alcohol(line, shop));
    let leaving = alcohol.filter_map(|line| Some((line, quantity(line)?)));
    leaving
        .filter(|(_, quantity)| !quantity.is_zero())
        .map(|(line, quantity)| leave(line, shop, quantity))
        .collect()
}

fn leave(line: &Line, shop: &Shop, quantity: Quantity) -> Result<Leaving, Fault> {
    let name = || line.name.clone();
    let property = |name: &String| {
        let text = line.properties.get(name).map(|text| text.trim().to_owned());
        text.filter(|text| !text.is_empty())
    };
    let group = property(&shop.group_property).or_else(|| shop.default_group.clone());
    let group = group.ok_or_else(|| Fault::Group(name(), "—".to_owned()))?;
    let settings = shop.groups.get(&group).ok_or_else(|| Fault::Group(name(), group.clone()))?;
    in_unit(line, settings.unit.as_deref())?;
    let marks = marks(line)?;
    match settings.marks {
        Marks::Each if !quantity.is_integer() => return Err(Fault::NotWhole(name())),
        Marks::None if !marks.is_empty() => return Err(Fault::Unexpected(name())),
        Marks::Each | Marks::None => {}
    }
    Ok(Leaving {
        line: key(line.id),
        name: name(),
        group,
        quantity: quantity.value(),
        marks,
        alc_code: property(&shop.alc_code_property),
        f2: property(&shop.f2_property),
        price: line.price.kopecks(),
    })
}

/// A pack of twenty is no bottle, and nothing is converted: what is not counted as EGAIS counts it stops.
fn in_unit(line: &Line, wanted: Option<&str>) -> Result<(), Fault> {
    let unit = line.unit.as_deref().map(str::trim).filter(|unit| !unit.is_empty());
    let is_it = match (unit, wanted) {
        (unit, Some(wanted)) => unit == Some(wanted),
        (None, None) => true,
        (Some(unit), None) => {
            let word = unit.trim_end_matches('.').to_lowercase();
            PIECES.contains(&word.trim_start_matches('0'))
        }
    };
    let fault = || Fault::Unit(line.name.clone(), unit.unwrap_or("—").to_owned());
    if is_it { Ok(()) } else { Err(fault()) }
}

/// Pieces by OKEI, and as shops without its codes call them.
const PIECES: [&str; 2] = ["796", "шт"];

fn marks(line: &Line) -> Result<Vec<Mark>, Fault> {
    let read = |code: &events::MarkCode| {
        let text = String::from_utf8_lossy(code.as_bytes());
        Mark::parse(&text).map_err(|error| Fault::Mark(line.name.clone(), error))
    };
    line.marks.iter().map(read).collect()
}

/// Bitrix's ids are positive and far below the limit of PostgreSQL's.
pub(crate) fn key(line: u64) -> i64 {
    i64::try_from(line).unwrap_or(i64::MAX)
}

/// What comes back of a line: how many, and which marks the order still shows for it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Returning {
    pub(crate) line: i64,
    pub(crate) quantity: Decimal,
    pub(crate) left: Vec<String>,
}

/// Each line once, whatever its goods are: which of them were written off, the books know.
pub(crate) fn returning(order: &Order, returned: &[ReturnedLine]) -> Result<Vec<Returning>, Fault> {
    returned
        .iter()
        .map(|back| {
            let marks = order.line(back.line).map(|line| line.marks.as_slice()).unwrap_or_default();
            let left = marks.iter().map(|code| {
                let text = String::from_utf8_lossy(code.as_bytes()).into_owned();
                Mark::parse(&text).map_or(text, String::from)
            });
            let left = left.collect();
            Ok(Returning { line: key(back.line), quantity: back.quantity.value(), left })
        })
        .collect()
}

/// The name of a document: from the order, what happened to it, the part and the attempt; at most 50 letters.
pub(crate) fn identity(order: &events::OrderRef, what: &str, part: &str, revision: u32) -> String {
    let own = own(order, what);
    let whole = format!("{}{part}-{revision}", own.long);
    if whole.chars().count() <= LONGEST {
        return whole;
    }
    // The shop's name makes way for a digest of it.
    let short = format!("{}{part}-{revision}", own.short);
    if short.chars().count() <= LONGEST {
        return short;
    }
    // Two attempts must not end alike: the digest of all stands for the end.
    let head: String = short.chars().take(LONGEST - 9).collect();
    format!("{head}-{}", digest(&short))
}

/// The longest name that EGAIS takes.
const LONGEST: usize = 50;

/// How the names of all documents of a fact begin: one of the two.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Own {
    /// With the shop's name.
    pub(crate) long: String,
    /// With its digest.
    pub(crate) short: String,
}

impl Own {
    /// Whether a document is the fact's.
    pub(crate) fn is(&self, document: &str) -> bool {
        document.starts_with(&self.long) || document.starts_with(&self.short)
    }
}

/// See [`Own`].
pub(crate) fn own(order: &events::OrderRef, what: &str) -> Own {
    let keeper = if order.site { "s" } else { "p" };
    let tail = format!("-{keeper}{}-{what}-", order.id);
    let short = format!("{}{tail}", digest(order.shop.as_str()));
    Own { long: format!("{}{tail}", order.shop), short }
}

fn digest(text: &str) -> String {
    let digest = uuid::Uuid::new_v5(&uuid::Uuid::NAMESPACE_OID, text.as_bytes());
    digest.simple().to_string().chars().take(8).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_short_apart_and_begin_as_the_fact_says() {
        let order = |shop: &str, id: u64| events::OrderRef {
            shop: shop.parse().unwrap(),
            id,
            number: "1".to_owned(),
            site: false,
        };
        for (shop, id, what) in [
            ("acme", 1, "s9.1"),
            ("a-wine-shop-with-a-long-name", 12_345, "s67890.1"),
            ("a-wine-shop-with-a-long-name", 123_456_789_012, "s123456789012.1"),
        ] {
            let order = order(shop, id);
            let names: Vec<String> =
                [1, 2, 10, 11].map(|n| identity(&order, what, "wine12345678", n)).into();
            let apart: std::collections::BTreeSet<&String> = names.iter().collect();
            assert_eq!(apart.len(), 4, "{names:?}");
            for name in &names {
                assert!(name.len() <= 50 && own(&order, what).is(name), "{name}");
            }
        }
        assert_eq!(identity(&order("acme", 1), "s9.1", "wine", 1), "acme-p1-s9.1-wine-1");
    }
}
