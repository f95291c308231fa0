//! The lines of a document.

use events::{Label, Line as Bought, Money, Order, Quantity, Vat};

use super::{
    About,
    fault::{self, Fault},
};
use crate::{
    config::Rules,
    upd::{Line, Subject, Unit, number::price_of},
    xml::plain,
};

/// What is handed over, and how many of each.
fn shipped(order: &Order, about: About) -> Result<Vec<(&Bought, Quantity)>, Fault> {
    let About::Shipment(id) = about else {
        return Ok(order.lines.iter().map(|line| (line, line.quantity)).collect());
    };
    let shipment = order.shipment(id).ok_or_else(fault::shipment)?;
    let found = shipment.items.iter().map(|(line, count)| Some((order.line(*line)?, *count)));
    found.collect::<Option<Vec<_>>>().ok_or_else(fault::shipment)
}

/// The lines: what was shipped, in the order's order, then delivery.
pub(super) fn lines(order: &Order, about: About, rules: &Rules) -> Result<Vec<Line>, Vec<Fault>> {
    let shipped = shipped(order, about).map_err(|fault| vec![fault])?;
    let (mut lines, mut faults) = (Vec::new(), Vec::new());
    for (bought, count) in &shipped {
        match line(bought, *count, rules) {
            Ok(line) => lines.push(line),
            Err(more) => faults.extend(more),
        }
    }
    if carries_delivery(order, about) {
        match delivery(order, rules) {
            Ok(line) => lines.extend(line),
            Err(fault) => faults.push(fault),
        }
    }
    if lines.is_empty() && faults.is_empty() {
        faults.push(fault::empty());
    }
    // By the whole order, whatever part has left: a discount that is not spread would be in no part's document.
    let whole = whole(order);
    if faults.is_empty() && whole != Some(order.price) {
        faults.push(fault::sum_differs(whole.unwrap_or(Money::ZERO), order.price));
    }
    if faults.is_empty() { Ok(lines) } else { Err(faults) }
}

/// What lines and delivery come to; `None` beyond what money can be.
fn whole(order: &Order) -> Option<Money> {
    let delivery = order.delivery.as_ref().map_or(Money::ZERO, |delivery| delivery.price);
    order
        .lines
        .iter()
        .try_fold(delivery, |sum, line| sum.checked_add(line.price.times(line.quantity)?))
}

/// Delivery is paid once: it goes with the first shipment.
fn carries_delivery(order: &Order, about: About) -> bool {
    match about {
        About::Order => true,
        About::Shipment(id) => order.shipments.iter().all(|shipment| shipment.id >= id),
    }
}

pub(super) fn has_alcohol(order: &Order, rules: &Rules) -> bool {
    order.lines.iter().any(|line| line.properties.contains_key(&rules.goods.alcohol))
}

fn delivery(order: &Order, rules: &Rules) -> Result<Option<Line>, Fault> {
    let Some(delivery) = order.delivery.as_ref().filter(|delivery| !delivery.price.is_zero())
    else {
        return Ok(None);
    };
    let vat = delivery.vat.or(rules.delivery.vat).ok_or_else(fault::delivery_vat)?;
    let code = rules.delivery.unit.as_str();
    let name = plain(&delivery.name);
    let name = if name.is_empty() {
        "Доставка".to_owned()
    } else {
        format!("Доставка: {name}")
    };
    let unit =
        Unit::find(code, &rules.units).ok_or_else(|| fault::unit_unknown(&name, Some(code)))?;
    let sums = sums(delivery.price, Quantity::ONE, vat);
    let (net, total, price) = sums.ok_or_else(|| fault::price_wrong(&name))?;
    Ok(Some(Line {
        subject: Subject::Service,
        name,
        unit,
        quantity: Quantity::ONE,
        price,
        net,
        vat,
        total,
        code: None,
        gtin: None,
        origin: None,
        declaration: None,
        marks: Vec::new(),
        zero_ground: None,
    }))
}

/// The sum without VAT, with it, and the price of one without VAT.
fn sums(
    price: Money,
    quantity: Quantity,
    vat: Vat,
) -> Option<(Money, Money, rust_decimal::Decimal)> {
    if price.is_negative() {
        return None;
    }
    let total = price.times(quantity)?;
    let tax = vat.included_in(total).unwrap_or(Money::ZERO);
    let net = total.checked_sub(tax)?;
    Some((net, total, price_of(net, quantity)?))
}

/// What product properties say of a line.
struct Described {
    code: Option<String>,
    gtin: Option<String>,
    origin: Option<(String, String)>,
    declaration: Option<String>,
    zero_ground: Option<String>,
}

fn property(bought: &Bought, code: &str) -> Option<String> {
    bought.properties.get(code).map(|value| plain(value)).filter(|value| !value.is_empty())
}

fn described(bought: &Bought, name: &str, rules: &Rules, faults: &mut Vec<Fault>) -> Described {
    let names = &rules.goods;
    let own = |code: &str| property(bought, code);
    let ground = own(&names.zero_ground).or_else(|| rules.zero_ground.clone());
    if bought.vat == Vat::V0 && ground.is_none() {
        faults.push(fault::zero_without_ground(name, &names.zero_ground));
    }
    let gtin = own(&names.gtin).map(|digits| format!("{digits:0>14}"));
    if gtin.as_deref().is_some_and(|gtin| !is_gtin(gtin)) {
        faults.push(fault::gtin(name, &names.gtin));
    }
    let origin = match (own(&names.country), own(&names.country_name)) {
        (None, None) => None,
        (Some(code), Some(country)) if is_country(&code) => Some((code, country)),
        _ => {
            faults.push(fault::origin(name, &names.country, &names.country_name));
            None
        }
    };
    let code = names.code.as_deref().and_then(own);
    let code = code.or_else(|| bought.product_xml_id.as_deref().map(plain));
    Described {
        code: code.filter(|code| (1..=100).contains(&code.chars().count())),
        gtin,
        origin,
        declaration: own(&names.declaration),
        zero_ground: ground.filter(|_| bought.vat == Vat::V0),
    }
}

fn line(bought: &Bought, quantity: Quantity, rules: &Rules) -> Result<Line, Vec<Fault>> {
    let name: String = plain(&bought.name).chars().take(1000).collect();
    let mut faults = Vec::new();
    if name.is_empty() {
        faults.push(fault::name_of_line());
    }
    if quantity.is_zero() {
        faults.push(fault::no_quantity(&name));
    }
    let unit = bought.unit.as_deref().and_then(|code| Unit::find(code, &rules.units));
    let unit = unit.ok_or_else(|| fault::unit_unknown(&name, bought.unit.as_deref()));
    let sums = sums(bought.price, quantity, bought.vat).ok_or_else(|| fault::price_wrong(&name));
    let marks = marks(bought, quantity, &name);
    let described = described(bought, &name, rules, &mut faults);
    match (unit, sums, marks) {
        (Ok(unit), Ok((net, total, price)), Ok(marks)) if faults.is_empty() => Ok(Line {
            subject: Subject::Goods,
            name,
            unit,
            quantity,
            price,
            net,
            vat: bought.vat,
            total,
            code: described.code,
            gtin: described.gtin,
            origin: described.origin,
            declaration: described.declaration,
            marks,
            zero_ground: described.zero_ground,
        }),
        (unit, sums, marks) => {
            // Nothing can be divided by a quantity of zero, which is told already.
            let sums = sums.err().filter(|_| !quantity.is_zero());
            faults.extend([unit.err(), sums, marks.err()].into_iter().flatten());
            Err(faults)
        }
    }
}

/// One code for each piece that leaves, without its crypto tail.
fn marks(bought: &Bought, quantity: Quantity, name: &str) -> Result<Vec<events::Ki>, Fault> {
    if !bought.marked && bought.marks.is_empty() {
        return Ok(Vec::new());
    }
    let count = bought.marks.len();
    if quantity.as_units() != u64::try_from(count).ok() {
        return Err(fault::marks(name, count));
    }
    let read = bought.marks.iter().map(|mark| Label::of(mark).map(|label| label.ki().clone()));
    read.collect::<Result<_, _>>().map_err(|_| fault::mark_unreadable(name))
}

fn is_country(code: &str) -> bool {
    code.len() == 3 && code.bytes().all(|byte| byte.is_ascii_digit())
}

/// Fourteen digits with a right check digit (GS1).
fn is_gtin(text: &str) -> bool {
    events::Gtin::try_from(text.to_owned()).is_ok_and(|gtin| gtin.has_check_digit())
}
