//! The order as the shop sees it: one snapshot, parsed and checked once, carried by every event.

use std::{cmp::Ordering, collections::BTreeMap, fmt, str::FromStr};

use serde::{Deserialize, Serialize};
use time::OffsetDateTime;

use crate::{MarkCode, Money, Quantity, Vat};

/// The name of a shop (a Bitrix24 portal or a site) in our configuration.
///
/// Lower-case Latin letters, digits and hyphens, 1 to 40 of them: it stands in keys that live
/// for years, such as a receipt's.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct ShopId(String);

/// A text that is no shop's name.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("a shop's name is 1 to 40 of a-z, 0-9 and '-', not {0:?}")]
pub struct ShopIdError(String);

impl ShopId {
    /// The name's text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for ShopId {
    type Err = ShopIdError;

    fn from_str(text: &str) -> Result<Self, ShopIdError> {
        let allowed = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
        if (1..=40).contains(&text.len()) && text.chars().all(allowed) {
            Ok(Self(text.to_owned()))
        } else {
            Err(ShopIdError(text.to_owned()))
        }
    }
}

impl TryFrom<String> for ShopId {
    type Error = ShopIdError;

    fn try_from(text: String) -> Result<Self, ShopIdError> {
        text.parse()
    }
}

impl From<ShopId> for String {
    fn from(shop: ShopId) -> Self {
        shop.0
    }
}

impl fmt::Display for ShopId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Which order: enough to name it to people and to find it in the shop.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OrderRef {
    /// The shop.
    pub shop: ShopId,
    /// Bitrix's order id.
    pub id: u64,
    /// The number people use (`ACCOUNT_NUMBER`); the id where the number is not known yet.
    pub number: String,
    /// Whether the site module (and not a Bitrix24 portal) keeps this order: where answers go.
    pub site: bool,
}

/// A full snapshot of an order.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Order {
    /// Which order.
    #[serde(rename = "ref")]
    pub key: OrderRef,
    /// Bitrix's save counter: higher is newer. Absent where the shop does not tell it.
    pub version: Option<u64>,
    /// Bitrix's status code, one or two letters; what it means is the shop's configuration.
    pub status: String,
    /// Whether the order is cancelled.
    pub canceled: bool,
    /// When it was made.
    #[serde(with = "time::serde::rfc3339")]
    pub created_at: OffsetDateTime,
    /// When it was last saved.
    #[serde(with = "time::serde::rfc3339")]
    pub updated_at: OffsetDateTime,
    /// What the buyer pays in all: goods and delivery, discounts taken off.
    pub price: Money,
    /// Who buys.
    pub buyer: Buyer,
    /// What is bought.
    pub lines: Vec<Line>,
    /// The delivery that the buyer pays for, if any.
    pub delivery: Option<Delivery>,
    /// How it is paid.
    pub payments: Vec<Payment>,
    /// How it is sent.
    pub shipments: Vec<Shipment>,
    /// Order properties by their code, only those with a value.
    pub properties: BTreeMap<String, String>,
    /// How the marking codes of its goods leave circulation. It stays as it was when the order was first seen.
    #[serde(default, skip_serializing_if = "MarksBy::is_receipt")]
    pub marks_by: MarksBy,
}

/// How marking codes leave circulation: one way for all of an order, since both would withdraw a code twice.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MarksBy {
    /// The receipt carries the codes (tag 1163), and its fiscal data operator tells the register.
    #[default]
    Receipt,
    /// The receipt carries none; a document to the register does it.
    Document,
}

impl MarksBy {
    /// Its word in settings, events and tables.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Receipt => "receipt",
            Self::Document => "document",
        }
    }

    const fn is_receipt(&self) -> bool {
        matches!(self, Self::Receipt)
    }
}

impl Order {
    /// The payment with this id.
    #[must_use]
    pub fn payment(&self, id: u64) -> Option<&Payment> {
        self.payments.iter().find(|payment| payment.id == id)
    }

    /// The shipment with this id.
    #[must_use]
    pub fn shipment(&self, id: u64) -> Option<&Shipment> {
        self.shipments.iter().find(|shipment| shipment.id == id)
    }

    /// Whether the shop's own counters say that this snapshot was taken after `other`. Two of one
    /// second without a version are not told apart.
    #[must_use]
    pub fn is_newer_than(&self, other: &Self) -> bool {
        let by_version = match (self.version, other.version) {
            (Some(own), Some(other)) => own.cmp(&other),
            _ => Ordering::Equal,
        };
        by_version.then(self.updated_at.cmp(&other.updated_at)) == Ordering::Greater
    }

    /// The line with this id.
    #[must_use]
    pub fn line(&self, id: u64) -> Option<&Line> {
        self.lines.iter().find(|line| line.id == id)
    }
}

/// Tells which properties there are and shows none: a name or a phone may be among them.
impl fmt::Debug for Order {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Order")
            .field("key", &self.key)
            .field("version", &self.version)
            .field("status", &self.status)
            .field("canceled", &self.canceled)
            .field("created_at", &self.created_at)
            .field("updated_at", &self.updated_at)
            .field("price", &self.price)
            .field("buyer", &self.buyer)
            .field("marks_by", &self.marks_by)
            .field("lines", &self.lines)
            .field("delivery", &self.delivery)
            .field("payments", &self.payments)
            .field("shipments", &self.shipments)
            .field("properties", &self.properties.keys())
            .finish()
    }
}

/// Who buys. Contacts are kept as the shop wrote them; who needs a phone parses it.
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Buyer {
    /// Bitrix's user id.
    pub id: Option<u64>,
    /// The name.
    pub name: Option<String>,
    /// The e-mail address.
    pub email: Option<String>,
    /// The phone, as written in the shop.
    pub phone: Option<String>,
    /// Taxpayer number of a company or an entrepreneur, as written.
    pub inn: Option<String>,
    /// Reason code of a company, as written.
    pub kpp: Option<String>,
}

/// Tells which contacts there are and shows none: they are personal data.
impl fmt::Debug for Buyer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Buyer")
            .field("id", &self.id)
            .field("email", &self.email.is_some())
            .field("phone", &self.phone.is_some())
            .field("inn", &self.inn.is_some())
            .finish_non_exhaustive()
    }
}

/// One line of the basket.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Line {
    /// Bitrix's basket item id.
    pub id: u64,
    /// Bitrix's product id.
    pub product: Option<u64>,
    /// The product's external code.
    pub product_xml_id: Option<String>,
    /// The name, as the buyer saw it.
    pub name: String,
    /// How many.
    pub quantity: Quantity,
    /// Unit code by OKEI, such as `796` for a piece.
    pub unit: Option<String>,
    /// Price of one unit, discount taken off, VAT inside.
    pub price: Money,
    /// The VAT rate; [`Vat::None`] is "without VAT", said by the shop and not guessed.
    pub vat: Vat,
    /// Mark codes that the shop itself has bound to this line.
    pub marks: Vec<MarkCode>,
    /// Whether the shop says that this product must be marked.
    pub marked: bool,
    /// Product properties by their code (such as `GTIN`, `ALCCODE`), only those with a value.
    pub properties: BTreeMap<String, String>,
}

/// The delivery as a line of its own: it has its own price and its own VAT.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Delivery {
    /// The name of the delivery service.
    pub name: String,
    /// What the buyer pays for it, VAT inside.
    pub price: Money,
    /// The VAT rate, where the shop tells one; where it does not, the receipt's configuration
    /// must, or the receipt is refused.
    pub vat: Option<Vat>,
}

/// One payment of the order.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Payment {
    /// Bitrix's payment id.
    pub id: u64,
    /// Bitrix's pay system id: what kind of money it is, by the shop's configuration.
    pub system: Option<u64>,
    /// The sum.
    pub sum: Money,
    /// Whether the money is here.
    pub state: PaymentState,
    /// When it came.
    #[serde(with = "time::serde::rfc3339::option")]
    pub paid_at: Option<OffsetDateTime>,
}

/// Whether a payment's money is here.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PaymentState {
    /// Not paid yet.
    Open,
    /// Paid.
    Paid,
    /// Paid and given back (`IS_RETURN` is `Y` or `P`).
    Returned,
}

/// One shipment of the order.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Shipment {
    /// Bitrix's shipment id.
    pub id: u64,
    /// Whether the goods have left (`DEDUCTED`).
    pub deducted: bool,
    /// When they left.
    #[serde(with = "time::serde::rfc3339::option")]
    pub deducted_at: Option<OffsetDateTime>,
    /// Which lines and how many of each, by basket item id.
    pub items: Vec<(u64, Quantity)>,
}
