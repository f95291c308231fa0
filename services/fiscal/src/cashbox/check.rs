//! A receipt that Bitrix composed, read into our model. Pure; nothing in it is guessed.

use events::{MarkCode, Money, Quantity, Vat};
use serde::Deserialize;
use serde_json::value::RawValue;

use super::Cashbox;
use crate::{
    asked::{Asked, wish::fits_mark},
    receipt::{
        Amounts, CheckFault, Contact, Kind, LineFault, MAX_POSITIONS, Measure, MoneyKind, Name,
        Object, PaymentFault, Position, Refusal, Settlement, Source, SumFault, split,
    },
};

/// The longest code without a tail: AI 01 with 14 digits, AI 21 with a serial of 20.
const PUBLIC_CODE_MAX: usize = 38;

/// A receipt as Bitrix composed it; numbers are the text that was sent.
#[derive(Debug, Deserialize)]
pub(super) struct Composed {
    r#type: String,
    calculated_sign: Option<String>,
    operation: Option<String>,
    #[serde(rename = "unique_id")]
    pub(super) number: Scalar,
    #[serde(alias = "UUID")]
    uuid: String,
    #[serde(default)]
    items: Vec<Item>,
    #[serde(default)]
    payments: Vec<Payment>,
    client_email: Option<String>,
    client_phone: Option<String>,
    total_sum: Scalar,
}

#[derive(Debug, Deserialize)]
struct Item {
    name: String,
    price: Scalar,
    sum: Scalar,
    quantity: Scalar,
    measure_code: Option<Scalar>,
    vat: Option<Scalar>,
    vat_sum: Option<Scalar>,
    payment_object: String,
    payment_method: Option<String>,
    marking_code: Option<String>,
}

#[derive(Debug, Deserialize)]
struct Payment {
    r#type: String,
    sum: Scalar,
}

/// A number or a text, as it was written.
#[derive(Debug)]
pub(super) struct Scalar(String);

impl<'de> Deserialize<'de> for Scalar {
    fn deserialize<D: serde::Deserializer<'de>>(value: D) -> Result<Self, D::Error> {
        let raw = Box::<RawValue>::deserialize(value)?;
        Ok(Self(raw.get().trim_matches('"').to_owned()))
    }
}

impl Scalar {
    pub(super) fn as_str(&self) -> &str {
        &self.0
    }

    /// Roubles; zeros after the second decimal are no kopecks.
    fn money(&self) -> Option<Money> {
        let text = match self.0.split_once('.') {
            Some((whole, part)) => format!("{whole}.{:0<2}", part.trim_end_matches('0')),
            None => self.0.clone(),
        };
        text.parse().ok()
    }

    fn quantity(&self) -> Option<Quantity> {
        let text = match self.0.split_once('.') {
            Some((whole, part)) if part.trim_end_matches('0').is_empty() => whole.to_owned(),
            Some((whole, part)) => format!("{whole}.{}", part.trim_end_matches('0')),
            None => self.0.clone(),
        };
        text.parse().ok()
    }
}

/// Reads the JSON text; `None` for another form.
pub(super) fn read(json: &str) -> Option<Composed> {
    serde_json::from_str(json).ok()
}

/// What a type of receipt says: tags 1054 and 1214, and the word that its positions bear.
fn meaning(name: &str) -> Option<(Kind, Settlement, &'static str)> {
    use Settlement::{Advance, Credit, CreditPayment, FullPayment, FullPrepayment, Prepayment};
    let base = name.strip_suffix("returncash").or_else(|| name.strip_suffix("return"));
    let kind = if base.is_some() { Kind::Refund } else { Kind::Sale };
    let (settlement, word) = match base.unwrap_or(name) {
        "sell" => (FullPayment, "full_payment"),
        // Bitrix says "advancepayment" and "advancereturn".
        "advancepayment" if base.is_none() => (Advance, "advance"),
        "advance" if base.is_some() => (Advance, "advance"),
        "prepayment" => (Prepayment, "prepayment"),
        "fullprepayment" => (FullPrepayment, "full_prepayment"),
        "credit" => (Credit, "credit"),
        "creditpayment" => (CreditPayment, "credit_payment"),
        _ => return None,
    };
    (name != "creditreturncash").then_some((kind, settlement, word))
}

impl Composed {
    /// What is asked for, if it is a lawful receipt.
    pub(super) fn asked(&self, cashbox: &Cashbox) -> Result<Asked, Refusal> {
        let check: u64 = self.number.0.parse().map_err(|_| CheckFault::Number)?;
        if self.uuid.is_empty() || self.uuid.len() > 200 {
            return Err(CheckFault::Number.into());
        }
        let unknown = || CheckFault::Type(self.r#type.clone());
        let (kind, settlement, word) = meaning(&self.r#type).ok_or_else(unknown)?;
        self.agrees(kind, word)?;
        if self.items.len() > MAX_POSITIONS {
            return Err(SumFault::TooManyPositions(self.items.len()).into());
        }
        let mut positions = Vec::with_capacity(self.items.len());
        for item in &self.items {
            positions.extend(item.positions(settlement, cashbox)?);
        }
        let (total, amounts) = (self.total(&positions)?, self.amounts()?);
        let paid = amounts.total().ok_or(SumFault::TooLarge)?;
        if paid != total || positions.is_empty() {
            return Err(SumFault::Amounts { paid, total }.into());
        }
        let contact = Contact::read(self.client_email.as_deref(), self.client_phone.as_deref());
        let contact = contact.ok_or(PaymentFault::NoContact)?;
        let receipt = cashbox.seller().receipt(kind, contact, positions, total, amounts);
        Ok(Asked::Check { check, uuid: self.uuid.clone(), receipt: Box::new(receipt) })
    }

    /// The sign of the settlement and the words of the positions say the same as the type.
    fn agrees(&self, kind: Kind, word: &str) -> Result<(), CheckFault> {
        let sign = match kind {
            Kind::Sale => "income",
            Kind::Refund => "consumption",
        };
        let mut signs = [&self.calculated_sign, &self.operation].into_iter().flatten();
        let mut words = self.items.iter().filter_map(|item| item.payment_method.as_deref());
        // Bitrix leaves the word empty for types that it has none for.
        if signs.all(|own| own == sign) && words.all(|own| own.is_empty() || own == word) {
            Ok(())
        } else {
            Err(CheckFault::Type(self.r#type.clone()))
        }
    }

    fn total(&self, positions: &[Position]) -> Result<Money, Refusal> {
        let total = Money::sum(positions.iter().map(|position| position.sum));
        let total = total.ok_or(SumFault::TooLarge)?;
        let said = self.total_sum.money().ok_or(CheckFault::Sum)?;
        if said == total { Ok(total) } else { Err(SumFault::Amounts { paid: said, total }.into()) }
    }

    fn amounts(&self) -> Result<Amounts, Refusal> {
        let mut amounts = Amounts::default();
        for payment in &self.payments {
            let kind = match payment.r#type.as_str() {
                "cash" => MoneyKind::Cash,
                "cashless" => MoneyKind::Electronic,
                "advance" => MoneyKind::Prepaid,
                "credit" => MoneyKind::Credit,
                other => return Err(CheckFault::Payment(other.to_owned()).into()),
            };
            let sum = payment.sum.money().ok_or(CheckFault::Sum)?;
            amounts = amounts.with(kind, sum).ok_or(CheckFault::Sum)?;
        }
        Ok(amounts)
    }
}

impl Item {
    /// One position, or two where the kopecks do not divide.
    fn positions(
        &self,
        settlement: Settlement,
        cashbox: &Cashbox,
    ) -> Result<Vec<Position>, Refusal> {
        let refuse = |fault| Refusal::Line(self.name.clone(), fault);
        let name = Name::new(&self.name).ok_or_else(|| refuse(LineFault::Name))?;
        let sums = (self.price.money(), self.sum.money());
        let (Some(price), Some(sum)) = sums else { return Err(CheckFault::Sum.into()) };
        let quantity = self.quantity.quantity().filter(|quantity| !quantity.is_zero());
        let quantity = quantity.ok_or_else(|| refuse(LineFault::Quantity))?;
        if price <= Money::ZERO || sum <= Money::ZERO {
            return Err(refuse(LineFault::Price(price.min(sum))));
        }
        let object = object(&self.payment_object)
            .ok_or_else(|| Refusal::from(CheckFault::Object(self.payment_object.clone())))?;
        let mark = self.mark()?;
        fits_mark(object, quantity, mark.as_ref()).map_err(refuse)?;
        let measure = match &self.measure_code {
            _ if mark.is_some() || matches!(object, Object::Payment | Object::Service) => {
                Measure::PIECE
            }
            code => cashbox.seller().measure(code.as_ref().map(Scalar::as_str)).map_err(refuse)?,
        };
        let vat = self.vat(settlement, sum, quantity, cashbox)?;
        let parts = if price.times(quantity) == Some(sum) {
            vec![(price, quantity)]
        } else {
            split(sum, quantity).ok_or(SumFault::TooLarge)?
        };
        let position = |(price, quantity): (Money, Quantity)| Position {
            source: Source::Order,
            name: name.clone(),
            price,
            quantity,
            sum: price.times(quantity).unwrap_or(sum),
            vat,
            settlement,
            object,
            measure,
            mark: mark.clone(),
        };
        Ok(parts.into_iter().filter(|(price, _)| !price.is_zero()).map(position).collect())
    }

    /// The rate behind Bitrix's id. Its own tax must fit, or the map of ids is wrong.
    fn vat(
        &self,
        settlement: Settlement,
        sum: Money,
        quantity: Quantity,
        cashbox: &Cashbox,
    ) -> Result<Vat, Refusal> {
        let id = self.vat.as_ref().map_or("0", Scalar::as_str);
        let vat = *cashbox.vats.get(id).ok_or_else(|| CheckFault::Vat(id.to_owned()))?;
        if let Some(said) = self.vat_sum.as_ref().and_then(Scalar::money) {
            let own = vat.included_in(sum).unwrap_or(Money::ZERO);
            // Bitrix rounds the tax of one unit.
            let units = quantity.as_units().and_then(|units| i64::try_from(units).ok());
            let apart = (said.kopecks() - own.kopecks()).abs();
            if apart > units.unwrap_or(1).max(1) {
                return Err(CheckFault::VatSum { id: id.to_owned(), said, own }.into());
            }
        }
        Ok(match settlement {
            Settlement::FullPrepayment | Settlement::Prepayment | Settlement::Advance => {
                vat.calculated().unwrap_or(vat)
            }
            _ => vat,
        })
    }

    /// The mark code. One that has a tail and lost its separators is no code any more.
    fn mark(&self) -> Result<Option<MarkCode>, Refusal> {
        let Some(text) = self.marking_code.as_deref().filter(|text| !text.is_empty()) else {
            return Ok(None);
        };
        let whole = text.contains('\u{1d}') || text.len() <= PUBLIC_CODE_MAX;
        let code = MarkCode::from_text(text).ok().filter(|_| whole);
        code.map(Some).ok_or_else(|| CheckFault::Mark(self.name.clone()).into())
    }
}

fn object(word: &str) -> Option<Object> {
    Some(match word {
        "commodity" => Object::Commodity,
        "excise" => Object::Excise,
        "job" => Object::Job,
        "service" => Object::Service,
        "payment" => Object::Payment,
        "another" => Object::Another,
        "commodity_marking_no_marking_excise" => Object::ExciseMarkable,
        "commodity_marking_excise" => Object::ExciseMarked,
        "commodity_marking_no_marking" => Object::Markable,
        "commodity_marking" => Object::Marked,
        _ => return None,
    })
}
