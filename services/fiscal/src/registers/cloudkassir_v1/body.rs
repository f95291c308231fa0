//! Documents of the brief's contract: its names and words, and nothing that it has no words for.

use events::{Money, Quantity};
use serde::Serialize;

use crate::{
    receipt::{Kind, MoneyKind, Position, Receipt},
    registers::{
        Naming, Unwritable,
        atol::body::{Client, CorrectionInfo, info},
        exact::Exact,
        words::{method, taxation, timestamp, word},
    },
};

/// The exact JSON text of the document under our name for it.
///
/// # Errors
/// [`Unwritable`]: an offset of what was prepaid, a debt, marked goods.
pub fn write(
    receipt: &Receipt,
    naming: &Naming<'_>,
    callback_url: Option<&str>,
) -> Result<String, Unwritable> {
    let payments: Result<Vec<Payment>, Unwritable> = receipt
        .amounts
        .iter()
        .map(|(kind, sum)| Ok(Payment { kind: payment(kind)?, sum: Exact(sum) }))
        .collect();
    let items: Result<Vec<Item<'_>>, Unwritable> = receipt.positions.iter().map(item).collect();
    let document = Document {
        external_id: naming.name,
        receipt: Content {
            client: Client::from(&receipt.contact),
            company: Company {
                email: receipt.seller_email.as_deref(),
                sno: taxation(receipt.taxation),
                inn: receipt.inn.to_string(),
                payment_address: &receipt.place,
            },
            items: items?,
            payments: payments?,
            total: Exact(receipt.total),
        },
        correction: receipt.correction.as_ref().map(info),
        timestamp: timestamp(naming.at),
        kind: match receipt.kind {
            Kind::Sale => "sell",
            Kind::Refund => "sell_return",
        },
        url: callback_url,
    };
    serde_json::to_string(&document)
        .map_err(|_| Unwritable {
            ru: "он не записывается как JSON", en: "it has no JSON form"
        })
}

#[derive(Serialize)]
struct Document<'a> {
    external_id: &'a str,
    receipt: Content<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    correction: Option<CorrectionInfo<'a>>,
    timestamp: String,
    #[serde(rename = "type")]
    kind: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    url: Option<&'a str>,
}

#[derive(Serialize)]
struct Content<'a> {
    client: Client<'a>,
    company: Company<'a>,
    items: Vec<Item<'a>>,
    payments: Vec<Payment>,
    total: Exact<Money>,
}

#[derive(Serialize)]
struct Company<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    email: Option<&'a str>,
    sno: &'static str,
    inn: String,
    payment_address: &'a str,
}

#[derive(Serialize)]
struct Item<'a> {
    name: &'a str,
    price: Exact<Money>,
    quantity: Exact<Quantity>,
    sum: Exact<Money>,
    payment_method: &'static str,
    payment_object: &'static str,
    vat: &'static str,
}

#[derive(Serialize)]
struct Payment {
    #[serde(rename = "type")]
    kind: u8,
    sum: Exact<Money>,
}

fn item(position: &Position) -> Result<Item<'_>, Unwritable> {
    let object = word(position.object).ok_or(Unwritable {
        ru: "договор CloudKassir v1 не передаёт маркировку",
        en: "the contract CloudKassir v1 has no words for marked goods",
    })?;
    Ok(Item {
        name: position.name.as_str(),
        price: Exact(position.price),
        quantity: Exact(position.quantity),
        sum: Exact(position.sum),
        payment_method: method(position.settlement),
        payment_object: object,
        vat: position.vat.as_str(),
    })
}

/// 1 is cash and 2 electronic, as the brief has it; at ATOL, whose form this is, 2 is an offset.
fn payment(kind: MoneyKind) -> Result<u8, Unwritable> {
    match kind {
        MoneyKind::Cash => Ok(1),
        MoneyKind::Electronic => Ok(2),
        MoneyKind::Prepaid | MoneyKind::Credit | MoneyKind::Provision => Err(Unwritable {
            ru: "договор CloudKassir v1 не передаёт зачёт предоплаты и кредит",
            en: "the contract CloudKassir v1 has no words for offsets and debts",
        }),
    }
}
