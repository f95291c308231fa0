//! From an order to a document, or to everything that is wrong with the order. Pure.

mod buyer;
pub(crate) mod fault;
mod goods;
mod says;

use events::{Event, Fact, Order, PaymentState};
use time::{Date, OffsetDateTime, PrimitiveDateTime, UtcOffset};
use uuid::Uuid;

pub use buyer::{Buyer, buyer, is_person};
pub use fault::Fault;
pub use says::{says, stamp};

use crate::{
    config::{Shop, Trigger},
    upd::{FileId, Format, Function, Line, Upd},
};

/// What of an order a document is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum About {
    /// One shipment, by its id.
    Shipment(u64),
    /// All of it.
    Order,
}

/// What the fact is about, if this shop makes a document of it.
#[must_use]
pub fn about(fact: &Fact, trigger: Trigger) -> Option<About> {
    match (fact, trigger) {
        (Fact::OrderShipped(fact), Trigger::Shipped) => Some(About::Shipment(fact.shipment)),
        // Payments in parts: the one that makes the order paid in full.
        (Fact::OrderPaid(fact), Trigger::Paid) => is_paid(&fact.order).then_some(About::Order),
        _ => None,
    }
}

fn is_paid(order: &Order) -> bool {
    let paid = order.payments.iter().filter(|payment| payment.state == PaymentState::Paid);
    paid.map(|payment| payment.sum.kopecks()).sum::<i64>() >= order.price.kopecks()
}

/// What is told to the writer beside the order.
#[derive(Debug, Clone)]
pub struct Ask<'a> {
    /// The order.
    pub order: &'a Order,
    /// What of it.
    pub about: About,
    /// When it happened.
    pub at: OffsetDateTime,
    /// The shop.
    pub shop: &'a Shop,
    /// The buyer's details, already read.
    pub buyer: &'a Buyer,
    /// The buyer's identifier as a participant of exchange.
    pub receiver: &'a str,
    /// The document's own name.
    pub guid: Uuid,
    /// When it is made.
    pub made_at: OffsetDateTime,
    /// Which correction it is, if it is one.
    pub correction: Option<u32>,
    /// The numbers of the order's documents so far.
    pub numbers: &'a Numbers,
}

/// The numbers that an order's documents have.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Numbers {
    /// That of the same fact's earlier document: a correction or a replacement has it too.
    pub own: Option<String>,
    /// Those of other facts.
    pub taken: Vec<String>,
}

/// The document.
///
/// # Errors
/// Everything that is wrong with the order's goods, at least one thing.
pub fn document(ask: &Ask<'_>) -> Result<Upd, Vec<Fault>> {
    let Ask { order, shop, buyer, .. } = ask;
    let lines = goods::lines(order, ask.about, &shop.rules)?;
    let made_at = moscow(ask.made_at);
    let flags = flags(ask, &lines)?;
    let file = FileId {
        format: shop.rules.format,
        receiver: ask.receiver.to_owned(),
        sender: shop.participant.clone(),
        date: made_at.date(),
        guid: ask.guid,
        flags,
    };
    let has_marks = lines.iter().any(|line| !line.marks.is_empty());
    Ok(Upd {
        file,
        function: shop.rules.function,
        number: number(order, ask.about, ask.numbers),
        date: date_of(ask),
        made_at,
        correction: ask.correction.map(|number| (number, made_at.date())),
        seller: shop.seller.clone(),
        buyer: buyer.party.clone(),
        consignee: buyer.consignee.clone(),
        lines,
        order: (order.key.number.clone(), moscow(order.created_at).date()),
        contract: buyer.contract.clone(),
        withdraws_marks: shop.rules.withdraws_marks.filter(|_| has_marks),
        signer: shop.signer.clone(),
    })
}

/// The flags of the file's name, if the format can say what is inside.
fn flags(ask: &Ask<'_>, lines: &[Line]) -> Result<String, Vec<Fault>> {
    let rules = &ask.shop.rules;
    let (has_alcohol, has_marks) =
        (goods::has_alcohol(ask.order, rules), lines.iter().any(|line| !line.marks.is_empty()));
    let names = &rules.file_id;
    let flags = match (rules.format, has_alcohol, has_marks) {
        (Format::V503, true, _) => names.alcohol.clone(),
        (Format::V503, false, true) => Some(names.marked.clone()),
        (Format::V503, false, false) => Some(names.plain.clone()),
        // How alcohol is told in 5.01 is not known.
        (Format::V501, true, _) => None,
        (Format::V501, false, true) => Some(names.marked_5_01.clone()),
        (Format::V501, false, false) => Some(names.plain_5_01.clone()),
    };
    let mut faults = Vec::new();
    if rules.format == Format::V501 {
        faults.extend(lines.iter().filter_map(fault::rate_of_5_01));
    }
    if rules.function == Function::InvoiceAndTransfer {
        let free = lines.iter().filter(|line| line.price.is_zero());
        faults.extend(free.map(|line| fault::free_of_charge(&line.name)));
    }
    match flags {
        Some(flags) if faults.is_empty() => Ok(flags),
        Some(_) => Err(faults),
        None => {
            faults.push(fault::alcohol(rules.format));
            Err(faults)
        }
    }
}

/// The document's number: the order's, and for further shipments which one. No two facts have the same: what left, came
/// back and left again has two documents.
fn number(order: &Order, about: About, numbers: &Numbers) -> String {
    if let Some(own) = &numbers.own {
        return own.clone();
    }
    let plain = &order.key.number;
    let named = |place: usize| match place {
        0 => plain.clone(),
        further => format!("{plain}/{}", further + 1),
    };
    let mut place = match about {
        About::Order => 0,
        About::Shipment(id) => order.shipments.iter().filter(|shipment| shipment.id < id).count(),
    };
    while numbers.taken.contains(&named(place)) {
        place += 1;
    }
    named(place)
}

/// The day on which it happened, by Moscow's calendar.
fn date_of(ask: &Ask<'_>) -> Date {
    let left = match ask.about {
        About::Shipment(id) => ask.order.shipment(id).and_then(|shipment| shipment.deducted_at),
        About::Order => None,
    };
    moscow(left.unwrap_or(ask.at)).date()
}

/// A moment by Moscow's clock.
fn moscow(at: OffsetDateTime) -> PrimitiveDateTime {
    let at = at.to_offset(UtcOffset::from_hms(3, 0, 0).unwrap_or(UtcOffset::UTC));
    PrimitiveDateTime::new(at.date(), at.time())
}

/// Whether the fact takes goods back that a document has handed over.
#[must_use]
pub fn takes_back(event: &Event) -> bool {
    matches!(event.fact, Fact::OrderReturned(_) | Fact::OrderCancelled(_))
}
