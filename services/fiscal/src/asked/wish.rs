//! What the interface takes: a correction or a refund by hand, as people write it. Pure.

use std::{collections::BTreeMap, str::FromStr};

use events::{MarkCode, Money, OrderRef, Quantity, ShopId, Vat};
use serde::{Deserialize, Deserializer, de::Error as _};
use time::OffsetDateTime;

use super::{Asked, HandRefund};
use crate::receipt::{
    Amounts, BookFault, Contact, Correction, CorrectionFault, Kind, LineFault, MAX_POSITIONS,
    Measure, MoneyKind, Name, Object, PaymentFault, Position, Receipt, Refusal, Seller, Settlement,
    Source, SumFault, in_force, today,
};

/// The longest document number, tag 1179.
const DOCUMENT_MAX: usize = 32;
/// The longest reason that is kept.
const REASON_MAX: usize = 500;

/// Which order it is about.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct About {
    /// Bitrix's order id.
    pub id: u64,
    /// The number that people use; the id without it.
    #[serde(default)]
    pub number: Option<String>,
    /// Whether the site module keeps it.
    #[serde(default)]
    pub site: bool,
}

/// The body of `POST /v1/corrections`.
#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CorrectionWish {
    /// The shop.
    pub shop: ShopId,
    /// The order, where it is about one.
    #[serde(default)]
    pub order: Option<About>,
    /// What is corrected: a sale that was not receipted, or a refund that was not; a wrong
    /// receipt is taken back as its opposite.
    pub kind: Kind,
    /// By whom it was found, the day of the settlement, the document, the reason.
    pub correction: Correction,
    /// Which one, where a document asks for several corrections of one kind and order.
    #[serde(default = "first")]
    pub part: u32,
    /// The buyer's e-mail address.
    #[serde(default)]
    pub email: Option<String>,
    /// The buyer's phone.
    #[serde(default)]
    pub phone: Option<String>,
    /// The positions.
    pub positions: Vec<PositionWish>,
    /// What was paid, in roubles.
    pub payments: BTreeMap<MoneyKind, Roubles>,
}

/// A position as people write it.
#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PositionWish {
    /// Tag 1030.
    pub name: String,
    /// Tag 1079, roubles.
    pub price: Roubles,
    /// Tag 1023.
    pub quantity: Quantity,
    /// Tag 1199.
    pub vat: Vat,
    /// Tag 1214.
    pub method: Settlement,
    /// Tag 1212.
    pub object: Object,
    /// The unit's OKEI code, such as `796`; by the shop's settings without it.
    #[serde(default)]
    pub unit: Option<String>,
    /// The mark code, base64.
    #[serde(default)]
    pub mark: Option<MarkCode>,
}

/// The body of `POST /v1/refunds`.
#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RefundWish {
    /// The shop.
    pub shop: ShopId,
    /// The order.
    pub order: About,
    /// Which one, where a document asks for several.
    #[serde(default = "first")]
    pub part: u32,
    /// What is paid back.
    pub refund: HandRefund,
}

/// A sum in roubles as text, such as `590.50`: exact, unlike a number in JSON.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Roubles(pub Money);

impl<'de> Deserialize<'de> for Roubles {
    fn deserialize<D: Deserializer<'de>>(text: D) -> Result<Self, D::Error> {
        Money::from_str(&String::deserialize(text)?).map(Self).map_err(D::Error::custom)
    }
}

fn first() -> u32 {
    1
}

impl About {
    /// The order's name.
    #[must_use]
    pub fn order(&self, shop: &ShopId) -> OrderRef {
        let number = self.number.clone().unwrap_or_else(|| self.id.to_string());
        OrderRef { shop: shop.clone(), id: self.id, number, site: self.site }
    }
}

impl RefundWish {
    /// What is asked for.
    ///
    /// # Errors
    /// [`Refusal`] without a document, or where it leaves open how much comes back.
    pub fn asked(&self) -> Result<Asked, Refusal> {
        document(&self.refund.document)?;
        let HandRefund { all, lines, delivery, codes, .. } = &self.refund;
        if *all && (!lines.is_empty() || *delivery || !codes.is_empty()) {
            return Err(BookFault::AllAndSome.into());
        }
        Ok(Asked::Refund(self.refund.clone()))
    }
}

impl CorrectionWish {
    /// What is asked for: the receipt of this seller, if it is a lawful one.
    ///
    /// # Errors
    /// [`Refusal`] tells what is wrong.
    pub fn asked(&self, seller: &Seller, now: OffsetDateTime) -> Result<Asked, Refusal> {
        let correction = self.correction(now)?;
        if self.positions.len() > MAX_POSITIONS {
            return Err(SumFault::TooManyPositions(self.positions.len()).into());
        }
        let positions = self.positions.iter().map(|wish| self.position(wish, seller));
        let positions: Vec<Position> = positions.collect::<Result<_, _>>()?;
        let total = Money::sum(positions.iter().map(|position| position.sum));
        let total = total.ok_or(SumFault::TooLarge)?;
        let paid = |all: Amounts, (kind, sum): (&MoneyKind, &Roubles)| all.with(*kind, sum.0);
        let amounts = self.payments.iter().try_fold(Amounts::default(), paid);
        let amounts = amounts.ok_or(SumFault::TooLarge)?;
        let sum = amounts.total().ok_or(SumFault::TooLarge)?;
        if sum != total || positions.is_empty() {
            return Err(SumFault::Amounts { paid: sum, total }.into());
        }
        let contact = Contact::read(self.email.as_deref(), self.phone.as_deref());
        let contact = contact.ok_or(PaymentFault::NoContact)?;
        let receipt = seller.receipt(self.kind, contact, positions, total, amounts);
        Ok(Asked::Correction { receipt: Box::new(Receipt { correction, ..receipt }) })
    }

    fn correction(&self, now: OffsetDateTime) -> Result<Option<Correction>, Refusal> {
        let Correction { basis, date, document: number, reason } = &self.correction;
        document(number)?;
        if !(1..=REASON_MAX).contains(&reason.trim().chars().count()) {
            return Err(CorrectionFault::Reason.into());
        }
        if *date > today(now) {
            return Err(CorrectionFault::Date(*date).into());
        }
        let (document, reason) = (number.trim().to_owned(), reason.trim().to_owned());
        Ok(Some(Correction { basis: *basis, date: *date, document, reason }))
    }

    fn position(&self, wish: &PositionWish, seller: &Seller) -> Result<Position, Refusal> {
        let refuse = |fault| Refusal::Line(wish.name.clone(), fault);
        let name = Name::new(&wish.name).ok_or_else(|| refuse(LineFault::Name))?;
        if wish.price.0 <= Money::ZERO {
            return Err(refuse(LineFault::Price(wish.price.0)));
        }
        if wish.quantity.is_zero() {
            return Err(refuse(LineFault::Quantity));
        }
        self.in_force(wish).map_err(refuse)?;
        let measure = if wish.object == Object::Payment || wish.mark.is_some() {
            Measure::PIECE
        } else {
            seller.measure(wish.unit.as_deref()).map_err(refuse)?
        };
        fits_mark(wish.object, wish.quantity, wish.mark.as_ref()).map_err(refuse)?;
        Ok(Position {
            source: Source::Order,
            name,
            price: wish.price.0,
            quantity: wish.quantity,
            sum: wish.price.0.times(wish.quantity).ok_or(SumFault::TooLarge)?,
            vat: wish.vat,
            settlement: wish.method,
            object: wish.object,
            measure,
            mark: wish.mark.clone(),
        })
    }

    /// A sale is corrected at a rate that was in force. What goes back keeps the rate it was sold
    /// at, and a wrong receipt is taken back as wrong as it was; the debt for goods of an earlier
    /// year is paid at their rate.
    fn in_force(&self, wish: &PositionWish) -> Result<(), LineFault> {
        if self.kind == Kind::Refund || wish.method == Settlement::CreditPayment {
            return Ok(());
        }
        let day = self.correction.date.midnight().assume_offset(time::macros::offset!(+3));
        in_force(wish.vat.plain(), day, day)
            .map(drop)
            .map_err(|fault| LineFault::VatNotInForce(fault.0))
    }
}

/// One code for one piece, and only for an object that has one.
pub(crate) fn fits_mark(
    object: Object,
    quantity: Quantity,
    mark: Option<&MarkCode>,
) -> Result<(), LineFault> {
    let marked = matches!(object, Object::Marked | Object::ExciseMarked);
    match mark {
        None if marked => Err(LineFault::NoMarks),
        Some(_) if !marked || quantity != Quantity::ONE => Err(LineFault::MarksCount(1, quantity)),
        Some(mark) if std::str::from_utf8(mark.as_bytes()).is_err() => {
            Err(LineFault::MarkUnreadable)
        }
        _ => Ok(()),
    }
}

fn document(number: &str) -> Result<(), Refusal> {
    if (1..=DOCUMENT_MAX).contains(&number.trim().chars().count()) {
        Ok(())
    } else {
        Err(CorrectionFault::Document.into())
    }
}
