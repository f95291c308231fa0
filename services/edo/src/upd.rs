//! The universal transfer document (УПД): what it says, without a word of how it is written.

pub mod file_id;
pub mod format_5_01;
pub mod format_5_03;
pub mod number;
pub mod rules;
pub mod units;

use events::{Inn, Ki, Kpp, Money, Quantity, Vat};
use rust_decimal::Decimal;
use serde::Deserialize;
use time::{Date, PrimitiveDateTime};

pub use file_id::FileId;
pub use units::Unit;

use crate::xml::Element;

/// What a document is for (`Функция`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
pub enum Function {
    /// Invoice and transfer in one: sellers who pay VAT.
    #[serde(rename = "СЧФДОП")]
    InvoiceAndTransfer,
    /// Transfer alone: sellers who do not.
    #[serde(rename = "ДОП")]
    Transfer,
}

impl Function {
    /// Its word.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::InvoiceAndTransfer => "СЧФДОП",
            Self::Transfer => "ДОП",
        }
    }
}

/// The version of the format.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
pub enum Format {
    /// Order ЕД-7-26/970 of the tax service, as amended: the format of 2026.
    #[default]
    #[serde(rename = "5.03")]
    V503,
    /// Order ММВ-7-15/820: contracts of the time before.
    #[serde(rename = "5.01")]
    V501,
}

impl Format {
    /// `ВерсФорм`.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::V503 => "5.03",
            Self::V501 => "5.01",
        }
    }

    /// The document as it is written.
    #[must_use]
    pub fn write(self, upd: &Upd) -> Element {
        match self {
            Self::V503 => format_5_03::write(upd),
            Self::V501 => format_5_01::write(upd),
        }
    }
}

/// A document.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Upd {
    /// The file's name.
    pub file: FileId,
    /// What it is for.
    pub function: Function,
    /// Its number.
    pub number: String,
    /// Its date: the day on which the goods left.
    pub date: Date,
    /// When the file was made, by Moscow's clock.
    pub made_at: PrimitiveDateTime,
    /// Which correction of the document it is, and of when (`ИспрДок`).
    pub correction: Option<(u32, Date)>,
    /// Who sells.
    pub seller: Party,
    /// Who buys.
    pub buyer: Party,
    /// Where the goods go, if not to the buyer's address.
    pub consignee: Option<Party>,
    /// Goods and services, at least one.
    pub lines: Vec<Line>,
    /// The order that it fulfils: number and date.
    pub order: (String, Date),
    /// A contract, if it is named: number and date.
    pub contract: Option<(String, Date)>,
    /// Marked goods leave circulation with this document, for the buyer's own use
    /// (`СвВыбытияМАРК`: 1 or 3).
    pub withdraws_marks: Option<u8>,
    /// Who signs.
    pub signer: Signatory,
}

impl Upd {
    /// The sum with VAT.
    #[must_use]
    pub fn total(&self) -> Money {
        sum(self.lines.iter().map(|line| line.total))
    }

    /// The sum without VAT.
    #[must_use]
    pub fn net(&self) -> Money {
        sum(self.lines.iter().map(|line| line.net))
    }

    /// The VAT; `None` where no line has any.
    #[must_use]
    pub fn tax(&self) -> Option<Money> {
        let taxed: Vec<Money> = self.lines.iter().filter_map(Line::tax).collect();
        (!taxed.is_empty()).then(|| sum(taxed))
    }
}

fn sum(all: impl IntoIterator<Item = Money>) -> Money {
    Money::from_kopecks(all.into_iter().map(Money::kopecks).sum())
}

/// A participant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Party {
    /// Who it is.
    pub who: Who,
    /// Where it is.
    pub address: Address,
}

/// A company or an entrepreneur.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Who {
    /// A legal entity.
    Company {
        /// Its name.
        name: String,
        /// Its INN, ten digits.
        inn: Inn,
        /// The reason code of its registration.
        kpp: Kpp,
    },
    /// An entrepreneur.
    Entrepreneur {
        /// His name.
        name: PersonName,
        /// His INN, twelve digits.
        inn: Inn,
    },
}

impl Who {
    /// The INN.
    #[must_use]
    pub const fn inn(&self) -> Inn {
        match self {
            Self::Company { inn, .. } | Self::Entrepreneur { inn, .. } => *inn,
        }
    }

    /// The name as people write it.
    #[must_use]
    pub fn name(&self) -> String {
        match self {
            Self::Company { name, .. } => name.clone(),
            Self::Entrepreneur { name, .. } => format!("ИП {}", name.full()),
        }
    }
}

/// A person's name.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PersonName {
    /// Фамилия.
    pub surname: String,
    /// Имя.
    pub name: String,
    /// Отчество, if there is one.
    pub patronymic: Option<String>,
}

impl PersonName {
    /// Surname, name and patronymic.
    #[must_use]
    pub fn full(&self) -> String {
        let parts = [Some(&self.surname), Some(&self.name), self.patronymic.as_ref()];
        parts.into_iter().flatten().map(String::as_str).collect::<Vec<_>>().join(" ")
    }
}

/// An address.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, untagged)]
pub enum Address {
    /// In parts, in Russia.
    Russian(RussianAddress),
    /// As one text, with the country by OKSM (Russia by default).
    Text {
        /// The text, 1 to 1 000 characters.
        text: String,
        /// The country's code by OKSM, three digits.
        #[serde(default = "russia")]
        country: String,
        /// The country's name.
        #[serde(default = "russia_name")]
        country_name: String,
    },
}

impl Address {
    /// A Russian address as one text.
    #[must_use]
    pub fn text(text: impl Into<String>) -> Self {
        Self::Text { text: text.into(), country: russia(), country_name: russia_name() }
    }
}

fn russia() -> String {
    "643".to_owned()
}

fn russia_name() -> String {
    "Россия".to_owned()
}

/// An address in parts (`АдрРФ`).
#[derive(Debug, Clone, PartialEq, Eq, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RussianAddress {
    /// Индекс, six digits.
    pub index: Option<String>,
    /// Код субъекта, two digits.
    pub region: String,
    /// Its name.
    pub region_name: String,
    /// Район.
    pub district: Option<String>,
    /// Город.
    pub city: Option<String>,
    /// Населённый пункт.
    pub settlement: Option<String>,
    /// Улица.
    pub street: Option<String>,
    /// Дом.
    pub house: Option<String>,
    /// Корпус.
    pub building: Option<String>,
    /// Квартира, офис.
    pub flat: Option<String>,
}

/// What a line is about (`ПрТовРаб`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Subject {
    /// Goods.
    Goods,
    /// A service.
    Service,
}

/// A line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    /// Goods or a service.
    pub subject: Subject,
    /// The name.
    pub name: String,
    /// The unit.
    pub unit: Unit,
    /// How many of it, above zero.
    pub quantity: Quantity,
    /// Price of one unit without VAT, at most eleven decimals.
    pub price: Decimal,
    /// The sum without VAT.
    pub net: Money,
    /// The rate.
    pub vat: Vat,
    /// The sum with VAT.
    pub total: Money,
    /// The seller's code of the product.
    pub code: Option<String>,
    /// GTIN, fourteen digits.
    pub gtin: Option<String>,
    /// Country of origin: code by OKSM and short name.
    pub origin: Option<(String, String)>,
    /// Number of the customs declaration.
    pub declaration: Option<String>,
    /// Identification codes of the pieces.
    pub marks: Vec<Ki>,
    /// Why the rate is 0 %.
    pub zero_ground: Option<String>,
}

impl Line {
    /// The VAT; `None` without VAT.
    #[must_use]
    pub fn tax(&self) -> Option<Money> {
        self.vat.percent()?;
        Some(Money::from_kopecks(self.total.kopecks() - self.net.kopecks()))
    }
}

/// Who signs.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Signatory {
    /// His name.
    #[serde(flatten)]
    pub name: PersonName,
    /// His position.
    pub position: String,
    /// How his right to sign is shown (`СпосПодтПолном`).
    #[serde(default)]
    pub authority: Authority,
    /// The power of attorney that the document names, with `authority = "named"`.
    #[serde(default)]
    pub attorney: Option<Attorney>,
}

/// `СпосПодтПолном` of format 5.03.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Authority {
    /// 1: by what the signature says (the head of the company).
    #[default]
    Signature,
    /// 2: by a machine-readable power of attorney in the package.
    Attached,
    /// 3: by one that the document names.
    Named,
    /// 4: by one that the receiver has another way.
    Otherwise,
}

impl Authority {
    /// Its digit.
    #[must_use]
    pub const fn digit(self) -> &'static str {
        match self {
            Self::Signature => "1",
            Self::Attached => "2",
            Self::Named => "3",
            Self::Otherwise => "4",
        }
    }
}

/// A machine-readable power of attorney (`СвДоверЭл`).
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Attorney {
    /// Its single registration number, 36 characters.
    pub number: String,
    /// When it was given.
    #[serde(deserialize_with = "number::day")]
    pub given: Date,
    /// The system that keeps it.
    pub system: String,
}
