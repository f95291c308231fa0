//! Documents for EGAIS, as the schemas of June 2024 want them, and the rules that no schema states.

mod parts;
mod rules;

use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};
use time::{Date, PrimitiveDateTime};

pub use parts::{Producer, Product};
pub use rules::Breach;

use crate::{
    mark::{Form, Mark},
    waybill::Accept,
    xml::{Node, branch, leaf},
};

const NS: &str = "http://fsrar.ru/WEGAIS";

/// A type of document that is sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[expect(missing_docs, reason = "the names are the schemas' own")]
pub enum Kind {
    #[serde(rename = "ActWriteOff_v3")]
    ActWriteOffV3,
    #[serde(rename = "ActWriteOff_v4")]
    ActWriteOffV4,
    #[serde(rename = "ActWriteOffShop_v2")]
    ActWriteOffShopV2,
    ChequeV3,
    ChequeV4,
    #[serde(rename = "WayBillAct_v3")]
    WayBillActV3,
    #[serde(rename = "WayBillAct_v4")]
    WayBillActV4,
    #[serde(rename = "ActChargeOnShop_v2")]
    ActChargeOnShopV2,
    #[serde(rename = "RequestRepealAWO")]
    RequestRepealAwo,
    #[serde(rename = "QueryRests_v2")]
    QueryRestsV2,
    #[serde(rename = "QueryRestsShop_v2")]
    QueryRestsShopV2,
    QueryRestBCode,
    QueryResendDoc,
    /// The dialect of the customer's brief: no UTM takes it, a middleware before one may.
    #[serde(rename = "TTNInformF2Reg")]
    Brief,
}

impl Kind {
    /// The element's name, which is also the last word of its path.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::ActWriteOffV3 => "ActWriteOff_v3",
            Self::ActWriteOffV4 => "ActWriteOff_v4",
            Self::ActWriteOffShopV2 => "ActWriteOffShop_v2",
            Self::ChequeV3 => "ChequeV3",
            Self::ChequeV4 => "ChequeV4",
            Self::WayBillActV3 => "WayBillAct_v3",
            Self::WayBillActV4 => "WayBillAct_v4",
            Self::ActChargeOnShopV2 => "ActChargeOnShop_v2",
            Self::RequestRepealAwo => "RequestRepealAWO",
            Self::QueryRestsV2 => "QueryRests_v2",
            Self::QueryRestsShopV2 => "QueryRestsShop_v2",
            Self::QueryRestBCode => "QueryRestBCode",
            Self::QueryResendDoc => "QueryResendDoc",
            Self::Brief => "TTNInformF2Reg",
        }
    }

    /// Whether it is a till's cheque.
    #[must_use]
    pub const fn is_cheque(self) -> bool {
        matches!(self, Self::ChequeV3 | Self::ChequeV4)
    }

    /// Whether it can write a sale off.
    #[must_use]
    pub const fn sells(self) -> bool {
        matches!(
            self,
            Self::ActWriteOffV3
                | Self::ActWriteOffV4
                | Self::ActWriteOffShopV2
                | Self::ChequeV3
                | Self::ChequeV4
                | Self::Brief
        )
    }
}

/// A document's content.
#[derive(Debug, Clone)]
pub enum Document {
    /// An act of write-off, of either register, or a charge on the shop floor.
    Act(Act),
    /// A cheque.
    Cheque(Cheque),
    /// The answer to an incoming waybill.
    WayBillAct {
        /// Our name for it, and its number.
        identity: String,
        /// Its day.
        date: Date,
        /// The waybill (`TTN-…`).
        waybill: String,
        /// A word for people.
        note: String,
        /// What of it is there.
        accept: Accept,
    },
    /// An act is to be undone.
    Repeal {
        /// The request's number.
        identity: String,
        /// When it is made.
        at: PrimitiveDateTime,
        /// EGAIS's number of the act.
        reg_id: String,
    },
    /// A question, with its one parameter.
    Query(Option<(&'static str, String)>),
}

/// See [`Document::Act`].
#[derive(Debug, Clone)]
pub struct Act {
    /// Our name for it, and its number.
    pub identity: String,
    /// Its day.
    pub date: Date,
    /// `TypeWriteOff` or `TypeChargeOn`.
    pub reason: String,
    /// A word for people.
    pub note: String,
    /// What it is about.
    pub positions: Vec<Position>,
}

/// See [`Document::Cheque`].
#[derive(Debug, Clone)]
pub struct Cheque {
    /// Our name for it.
    pub identity: String,
    /// When the receipt was made.
    pub at: PrimitiveDateTime,
    /// The till's serial number.
    pub till: String,
    /// The till's shift.
    pub shift: String,
    /// The receipt's number in the shift.
    pub number: String,
    /// Whether goods come back.
    pub back: bool,
    /// What it is about.
    pub positions: Vec<Position>,
}

/// A position.
#[derive(Debug, Clone, Default)]
pub struct Position {
    /// The product's name in the order.
    pub name: String,
    /// How many.
    pub quantity: Decimal,
    /// The price of one in kopecks, VAT inside.
    pub price: i64,
    /// AlcCode.
    pub alc_code: String,
    /// The reference of form A; only the brief's dialect names it.
    pub f1: Option<String>,
    /// The reference of form B.
    pub f2: Option<String>,
    /// The marks of marked goods.
    pub marks: Vec<Mark>,
    /// The product as EGAIS describes it.
    pub product: Option<Product>,
    /// The EAN.
    pub ean: Option<String>,
}

impl Position {
    /// The sum in kopecks; `None` where it is no whole number of them.
    fn sum(&self) -> Option<i64> {
        let sum = Decimal::from(self.price).checked_mul(self.quantity)?;
        if sum.is_integer() { i64::try_from(sum.trunc()).ok() } else { None }
    }

    fn is_beer(&self) -> bool {
        self.marks.iter().any(|mark| mark.form() == Form::Beer)
    }
}

/// Kopecks as roubles: `1990.00`.
fn roubles(kopecks: i64) -> String {
    format!("{:.2}", Decimal::new(kopecks, 2))
}

/// Writes a document of the organisation `owner`.
///
/// # Errors
/// [`Breach`] of a rule that the schemas do not state.
pub fn write(kind: Kind, owner: &str, document: &Document) -> Result<String, Breach> {
    rules::check(kind, document)?;
    let (spaces, content): (&[(&str, &str)], Vec<Node>) = match (kind, document) {
        (Kind::Brief, Document::Act(act)) => return Ok(parts::brief(act)),
        (Kind::ActWriteOffV3, Document::Act(act)) => (
            &[("awr", "ActWriteOff_v3"), ("pref", "ProductRef_v2"), ("ce", "CommonV3")],
            parts::write_off(act, 3),
        ),
        (Kind::ActWriteOffV4, Document::Act(act)) => (
            &[("awr", "ActWriteOff_v4"), ("pref", "ProductRef_v2"), ("ce", "CommonV3")],
            parts::write_off(act, 4),
        ),
        (Kind::ActWriteOffShopV2, Document::Act(act)) => (
            &[("awr", "ActWriteOffShop_v2"), ("pref", "ProductRef_v2"), ("oref", "ClientRef_v2")],
            parts::write_off_shop(act)?,
        ),
        (Kind::ActChargeOnShopV2, Document::Act(act)) => (
            &[("ainp", "ActChargeOnShop_v2"), ("pref", "ProductRef_v2"), ("oref", "ClientRef_v2")],
            parts::charge_on(act)?,
        ),
        (Kind::ChequeV3, Document::Cheque(cheque)) => (
            &[("ck", "ChequeV3"), ("pref", "ProductRef_v2"), ("oref", "ClientRef_v2")],
            parts::cheque(cheque)?,
        ),
        (Kind::ChequeV4, Document::Cheque(cheque)) => (
            &[("ck", "ChequeV4"), ("pref", "ProductRef_v2"), ("oref", "ClientRef_v2")],
            parts::cheque(cheque)?,
        ),
        (Kind::WayBillActV3, Document::WayBillAct { .. }) => {
            (&[("wa", "ActTTNSingle_v3"), ("ce", "CommonV3")], parts::waybill(document, false))
        }
        (Kind::WayBillActV4, Document::WayBillAct { .. }) => {
            (&[("wa", "ActTTNSingle_v4"), ("ce", "CommonV3")], parts::waybill(document, true))
        }
        (Kind::RequestRepealAwo, Document::Repeal { .. }) => {
            (&[("r", "RequestRepealAWO")], parts::repeal(owner, document))
        }
        (_, Document::Query(parameter)) => {
            (&[("qp", "QueryParameters")], parts::query(parameter.as_ref()))
        }
        _ => return Err(Breach::Mismatch),
    };
    Ok(wrapped(kind, owner, spaces, content))
}

fn wrapped(kind: Kind, owner: &str, spaces: &[(&str, &str)], content: Vec<Node>) -> String {
    let own = branch(format!("ns:{}", kind.word()), content);
    let owner = branch("ns:Owner", vec![leaf("ns:FSRAR_ID", owner)]);
    let mut root = branch("ns:Documents", vec![owner, branch("ns:Document", vec![own])])
        .attribute("Version", "1.0")
        .attribute("xmlns:ns", format!("{NS}/WB_DOC_SINGLE_01"));
    for (prefix, name) in spaces {
        let prefix = match *prefix {
            "awr" => "xmlns:awr",
            "pref" => "xmlns:pref",
            "ce" => "xmlns:ce",
            "oref" => "xmlns:oref",
            "ainp" => "xmlns:ainp",
            "ck" => "xmlns:ck",
            "wa" => "xmlns:wa",
            "r" => "xmlns:r",
            _ => "xmlns:qp",
        };
        root = root.attribute(prefix, format!("{NS}/{name}"));
    }
    root.document()
}
