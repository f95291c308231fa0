//! Out of circulation: `LK_RECEIPT` (contract of v726).

use serde::{Deserialize, Serialize};
use time::Date;
use uuid::Uuid;

use super::{
    Primary, PrimaryKind, Reason, Refusal, codes, inn, json, primary::PrimaryFields, text, written,
};

/// Kinds of primary documents that go with a distance sale.
const DISTANCE: [PrimaryKind; 5] = [
    PrimaryKind::Receipt,
    PrimaryKind::SalesReceipt,
    PrimaryKind::Other,
    PrimaryKind::ConsignmentNote,
    PrimaryKind::Utd,
];
/// The largest price in kopecks (documentation of True API).
const MOST_KOPECKS: u64 = 99_999_999_999_999_999;

/// Who withdraws, and where from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Party {
    /// INN: 10 digits of a legal entity, 12 of a sole trader.
    pub inn: String,
    /// KPP; of a legal entity alone.
    pub kpp: Option<String>,
    /// The place of activity, as it is registered in the cabinet.
    pub fias_id: Uuid,
}

/// What is withdrawn.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Withdrawal {
    /// By whom.
    pub party: Party,
    /// Why.
    pub reason: Reason,
    /// The reason in words; of [`Reason::Other`] alone.
    pub other_reason: Option<String>,
    /// When, in the participant's calendar.
    pub date: Date,
    /// The buyer's INN, where he has one to be told.
    pub buyer_inn: Option<String>,
    /// The primary document of all codes.
    pub primary: Option<Primary>,
    /// The codes.
    pub products: Vec<Product>,
}

/// A code that is withdrawn.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Product {
    /// Its KI, without the crypto tail.
    pub cis: String,
    /// Its price in kopecks with VAT; a distance sale needs it.
    pub kopecks: Option<u64>,
    /// A primary document of its own.
    pub primary: Option<Primary>,
}

#[derive(Serialize)]
struct Wire<'a> {
    inn: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    buyer_inn: Option<&'a str>,
    action: Reason,
    #[serde(skip_serializing_if = "Option::is_none")]
    withdrawal_type_other: Option<&'a str>,
    action_date: String,
    fias_id: Uuid,
    #[serde(skip_serializing_if = "Option::is_none")]
    kpp: Option<&'a str>,
    products: Vec<WireProduct<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    document_type: Option<PrimaryKind>,
    #[serde(skip_serializing_if = "Option::is_none")]
    document_number: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    document_date: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    primary_document_custom_name: Option<&'a str>,
}

#[derive(Serialize)]
struct WireProduct<'a> {
    cis: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    product_cost: Option<u64>,
    #[serde(flatten)]
    primary: PrimaryFields<'a>,
}

/// The bytes of a withdrawal made on the day `today`.
///
/// # Errors
/// [`Refusal`] is the first thing that the register would not take.
pub fn withdrawal(asked: &Withdrawal, today: Date) -> Result<Vec<u8>, Refusal> {
    check(asked, today)?;
    let primary = asked.primary.as_ref();
    json(&Wire {
        inn: inn(&asked.party.inn)?,
        buyer_inn: asked.buyer_inn.as_deref(),
        action: asked.reason,
        withdrawal_type_other: asked.other_reason.as_deref(),
        action_date: written(asked.date),
        fias_id: asked.party.fias_id,
        kpp: asked.party.kpp.as_deref(),
        products: asked.products.iter().map(product).collect(),
        document_type: primary.map(|primary| primary.kind),
        document_number: primary.map(|primary| primary.number.as_str()),
        document_date: primary.map(|primary| written(primary.date)),
        primary_document_custom_name: primary.and_then(|primary| primary.name.as_deref()),
    })
}

fn product(product: &Product) -> WireProduct<'_> {
    WireProduct {
        cis: &product.cis,
        product_cost: product.kopecks,
        primary: PrimaryFields::of(product.primary.as_ref()),
    }
}

fn check(asked: &Withdrawal, today: Date) -> Result<(), Refusal> {
    codes(asked.products.iter().map(|product| product.cis.as_str()))?;
    party(&asked.party, asked.reason)?;
    if let Some(buyer) = &asked.buyer_inn {
        inn(buyer)?;
    }
    let oldest =
        today.replace_year(today.year() - 5).unwrap_or(today - time::Duration::days(5 * 365));
    if asked.date > today || asked.date < oldest {
        return Err(Refusal::Date(asked.date));
    }
    match (&asked.other_reason, asked.reason) {
        (Some(words), Reason::Other) => text("the reason", words)?,
        (None, Reason::Other) | (Some(_), _) => return Err(Refusal::OtherReason),
        (None, _) => {}
    }
    let kinds = (asked.reason == Reason::Distance).then_some(&DISTANCE[..]);
    let own = asked.products.iter().filter_map(|product| product.primary.as_ref());
    for primary in asked.primary.iter().chain(own) {
        primary.check(kinds)?;
    }
    for product in &asked.products {
        let priced = product.kopecks.is_some_and(|kopecks| kopecks <= MOST_KOPECKS);
        if !priced && (asked.reason == Reason::Distance || product.kopecks.is_some()) {
            return Err(Refusal::NoPrice(product.cis.clone()));
        }
    }
    Ok(())
}

/// A legal entity names its KPP (for a distance sale it must), a sole trader never does.
fn party(party: &Party, reason: Reason) -> Result<(), Refusal> {
    let inn = inn(&party.inn)?;
    match &party.kpp {
        Some(_) if inn.len() == 12 => Err(Refusal::Kpp),
        Some(kpp) if kpp.len() == 9 && kpp.bytes().all(|b| b.is_ascii_alphanumeric()) => Ok(()),
        Some(_) => Err(Refusal::NoKpp),
        None if inn.len() == 10 && reason == Reason::Distance => Err(Refusal::NoKpp),
        None => Ok(()),
    }
}
