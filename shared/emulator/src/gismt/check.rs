//! What the register reads in a document, and what it does not let pass. Pure: bytes in, a checked document or
//! a reason out.

use serde::Deserialize;
use time::{Date, macros::format_description};

use super::wire::{Cancel, Product, Return, Withdrawal};

const ACTIONS: [&str; 22] = [
    "RETAIL",
    "DISTANCE",
    "BY_SAMPLES",
    "OWN_USE",
    "PRODUCTION_USE",
    "MEDICAL_USE",
    "VETERINARY_USE",
    "DONATION",
    "STATE_CONTRACT",
    "STATE_SECRET",
    "VENDING",
    "EAS_TRADE",
    "BEYOND_EEC_EXPORT",
    "RETURN",
    "DAMAGE_LOSS",
    "DESTRUCTION",
    "CONFISCATION",
    "RECALL",
    "UTILIZATION",
    "EXPIRATION",
    "PACKING",
    "OTHER",
];
const SALE_DOCUMENTS: [&str; 5] = ["RECEIPT", "SALES_RECEIPT", "OTHER", "CONSIGNMENT_NOTE", "UTD"];
const RETURN_DOCUMENTS: [&str; 3] = ["RECEIPT", "SALES_RECEIPT", "OTHER"];
const RETURNS: [&str; 5] = [
    "REMOTE_SALE_RETURN",
    "RETAIL_RETURN",
    "OWN_USE_RETURN",
    "STATE_CONTRACT_RETURN",
    "NOT_FOR_SALE_RETURN",
];
const MOST_CODES: usize = 30_000;

/// A document that can be read.
#[derive(Debug, Clone)]
pub(super) enum Asked {
    Withdrawal { inn: String, action: String, products: Vec<(String, Option<u64>)> },
    Cancel { of: String },
    Return { inn: String, return_type: String, products: Vec<Returned> },
}

/// A code that is to come back.
#[derive(Debug, Clone)]
pub(super) struct Returned {
    pub(super) ki: String,
}

impl Asked {
    pub(super) fn codes(&self) -> Vec<String> {
        match self {
            Self::Withdrawal { products, .. } => {
                products.iter().map(|(cis, _)| cis.clone()).collect()
            }
            Self::Return { products, .. } => products.iter().map(|back| back.ki.clone()).collect(),
            Self::Cancel { .. } => Vec::new(),
        }
    }

    pub(super) fn total(&self) -> u64 {
        match self {
            Self::Withdrawal { products, .. } => {
                products.iter().filter_map(|(_, cost)| *cost).sum()
            }
            Self::Return { .. } | Self::Cancel { .. } => 0,
        }
    }
}

/// Type, number, date and own name of a primary document.
type Primary<'a> = [&'a Option<String>; 4];

/// Reads a document of this type from the participant `inn` on the day `today`.
pub(super) fn check(kind: &str, body: &[u8], inn: &str, today: Date) -> Result<Asked, String> {
    match kind {
        "LK_RECEIPT" => withdrawal(read(body)?, inn, today),
        "LK_RECEIPT_CANCEL" => {
            let cancel: Cancel = read(body)?;
            own(&cancel.inn, inn)?;
            Ok(Asked::Cancel { of: cancel.lk_receipt_id })
        }
        "LP_RETURN" => back(read(body)?, inn),
        other => Err(format!("the type {other} is not taken here")),
    }
}

fn read<'a, T: Deserialize<'a>>(body: &'a [u8]) -> Result<T, String> {
    serde_json::from_slice(body).map_err(|error| error.to_string())
}

fn own(given: &str, inn: &str) -> Result<(), String> {
    if given == inn { Ok(()) } else { Err("the INN is not the participant's".to_owned()) }
}

fn holds(holds: bool, why: &str) -> Result<(), String> {
    if holds { Ok(()) } else { Err(why.to_owned()) }
}

fn withdrawal(asked: Withdrawal, inn: &str, today: Date) -> Result<Asked, String> {
    own(&asked.inn, inn)?;
    let distance = asked.action == "DISTANCE";
    holds(ACTIONS.contains(&asked.action.as_str()), "action is unknown")?;
    let date = day(&asked.action_date)?;
    let oldest = today.year() - 5;
    let not_old = (date.year(), date.ordinal()) >= (oldest, today.ordinal());
    holds(date <= today && not_old, "action_date is in the future or more than five years back")?;
    holds(is_uuid(&asked.fias_id), "fias_id is no UUID")?;
    match &asked.kpp {
        Some(kpp) => holds(inn.len() == 10 && kpp.len() == 9, "kpp is not for a sole trader")?,
        None => holds(inn.len() == 12 || !distance, "kpp is missing")?,
    }
    let words = asked.withdrawal_type_other.as_deref().unwrap_or_default();
    holds((asked.action == "OTHER") != words.is_empty(), "withdrawal_type_other is for OTHER")?;
    let digits =
        |inn: &String| matches!(inn.len(), 10 | 12) && inn.bytes().all(|b| b.is_ascii_digit());
    holds(asked.buyer_inn.as_ref().is_none_or(digits), "buyer_inn is none")?;
    let kinds = distance.then_some(&SALE_DOCUMENTS[..]);
    let of_all = [
        &asked.document_type,
        &asked.document_number,
        &asked.document_date,
        &asked.primary_document_custom_name,
    ];
    primary(of_all, kinds)?;
    for product in &asked.products {
        primary(primary_of(product), kinds)?;
        holds(product.product_cost.is_some() || !distance, "product_cost is missing")?;
    }
    let products: Vec<_> =
        asked.products.into_iter().map(|product| (product.cis, product.product_cost)).collect();
    codes(products.iter().map(|(cis, _)| cis.as_str()))?;
    Ok(Asked::Withdrawal { inn: asked.inn, action: asked.action, products })
}

fn primary_of(product: &Product) -> Primary<'_> {
    [
        &product.primary_document_type,
        &product.primary_document_number,
        &product.primary_document_date,
        &product.primary_document_custom_name,
    ]
}

/// All or nothing of a primary document; `true` when there is one.
fn primary(
    [kind, number, date, name]: Primary<'_>,
    kinds: Option<&[&str]>,
) -> Result<bool, String> {
    match (kind, number, date, name) {
        (None, None, None, None) => Ok(false),
        (Some(kind), Some(number), Some(date), name) => {
            holds(
                kinds.is_none_or(|kinds| kinds.contains(&kind.as_str())),
                "the primary document's type",
            )?;
            holds(!number.is_empty(), "the primary document's number is empty")?;
            day(date)?;
            holds((kind == "OTHER") == name.is_some(), "a custom name is for OTHER")?;
            Ok(true)
        }
        _ => Err("a primary document is not whole".to_owned()),
    }
}

fn back(asked: Return, inn: &str) -> Result<Asked, String> {
    own(&asked.trade_participant_inn, inn)?;
    let kind = asked.return_type.as_str();
    holds(RETURNS.contains(&kind), "return_type is unknown")?;
    let kinds: &[&str] = match kind {
        "REMOTE_SALE_RETURN" | "RETAIL_RETURN" => &RETURN_DOCUMENTS,
        "NOT_FOR_SALE_RETURN" => &["OTHER"],
        _ => &[],
    };
    let of_all = [
        &asked.primary_document_type,
        &asked.primary_document_number,
        &asked.primary_document_date,
        &asked.primary_document_custom_name,
    ];
    let all = primary(of_all, Some(kinds))?;
    let certified =
        certificate(&asked.certificate_type, &asked.certificate_number, &asked.certificate_date)?;
    for item in &asked.products_list {
        let of_one = [
            &item.primary_document_type,
            &item.primary_document_number,
            &item.primary_document_date,
            &item.primary_document_custom_name,
        ];
        let based = primary(of_one, Some(kinds))? || all;
        match (kind, item.paid.or(asked.paid)) {
            ("REMOTE_SALE_RETURN", None) => return Err("paid is missing".to_owned()),
            ("REMOTE_SALE_RETURN", Some(paid)) => {
                holds(paid == based, "a primary document if paid, and only then")?;
            }
            (_, Some(_)) => return Err("paid must not be there".to_owned()),
            (_, None) => {
                holds(kind != "RETAIL_RETURN" || based, "the primary document is missing")?
            }
        }
        let own =
            certificate(&item.certificate_type, &item.certificate_number, &item.certificate_date)?;
        holds(!(own && certified), "a certificate at the root or at the items")?;
    }
    codes(asked.products_list.iter().map(|item| item.ki.as_str()))?;
    let products = asked.products_list.into_iter().map(|item| Returned { ki: item.ki }).collect();
    Ok(Asked::Return { inn: asked.trade_participant_inn, return_type: asked.return_type, products })
}

fn certificate(
    kind: &Option<String>,
    number: &Option<String>,
    date: &Option<String>,
) -> Result<bool, String> {
    match (kind, number, date) {
        (None, None, None) => Ok(false),
        (Some(_), Some(_), Some(date)) => day(date).map(|_| true),
        _ => Err("a certificate is not whole".to_owned()),
    }
}

/// KIs without crypto tails, each once.
fn codes<'a>(codes: impl Iterator<Item = &'a str>) -> Result<(), String> {
    let mut seen = std::collections::HashSet::new();
    for cis in codes {
        holds(is_ki(cis), "a code is no KI")?;
        holds(seen.insert(cis), "a code is in it twice")?;
    }
    holds(!seen.is_empty() && seen.len() <= MOST_CODES, "no codes, or more than 30000")
}

/// Printable, no separator, no crypto tail.
pub(super) fn is_ki(cis: &str) -> bool {
    (18..=74).contains(&cis.len()) && cis.bytes().all(|byte| byte.is_ascii_graphic())
}

fn day(text: &str) -> Result<Date, String> {
    let format = format_description!("[year]-[month]-[day]");
    Date::parse(text, format).map_err(|_| format!("{text:?} is no date"))
}

fn is_uuid(text: &str) -> bool {
    let parts: Vec<usize> = text.split('-').map(str::len).collect();
    parts == [8, 4, 4, 4, 12] && text.bytes().all(|byte| byte == b'-' || byte.is_ascii_hexdigit())
}
