//! Reading one field of one part of an order: its value, or an error that names both.

use events::{Money, MoneyError, Quantity, QuantityError, Vat};
use time::{OffsetDateTime, format_description::well_known::Rfc3339};

use super::{OrderError, Place, Problem, scalar::Scalar};

/// A part of an order whose fields are read.
pub(super) struct Part<'a> {
    pub order: &'a str,
    pub place: Place,
}

type Field = Option<Scalar>;

impl Part<'_> {
    pub(super) fn error(&self, field: &'static str, problem: Problem) -> OrderError {
        OrderError { order: Some(self.order.to_owned()), place: self.place.clone(), field, problem }
    }

    pub(super) fn text<'f>(
        &self,
        name: &'static str,
        field: &'f Field,
    ) -> Result<&'f str, OrderError> {
        field.as_ref().and_then(Scalar::text).ok_or_else(|| self.error(name, Problem::Missing))
    }

    pub(super) fn id(&self, name: &'static str, field: &Field) -> Result<u64, OrderError> {
        super::id_of_text(self.text(name, field)?)
            .ok_or_else(|| self.error(name, Problem::NotANumber))
    }

    /// A count from zero, where there is one.
    pub(super) fn count_if_any(
        &self,
        name: &'static str,
        field: &Field,
    ) -> Result<Option<u64>, OrderError> {
        if is_empty(field) {
            return Ok(None);
        }
        let count = self.text(name, field)?.parse().ok();
        let count = count.filter(|count| *count <= i64::MAX.unsigned_abs());
        count.ok_or_else(|| self.error(name, Problem::NotANumber)).map(Some)
    }

    /// An amount of zero or more.
    pub(super) fn money(&self, name: &'static str, field: &Field) -> Result<Money, OrderError> {
        let money: Money = self.text(name, field)?.parse().map_err(|error| {
            let problem = match error {
                MoneyError::PartOfKopeck => Problem::TooPrecise,
                MoneyError::TooLarge => Problem::TooLarge,
                _ => Problem::NotANumber,
            };
            self.error(name, problem)
        })?;
        if money.is_negative() {
            return Err(self.error(name, Problem::Negative));
        }
        Ok(money)
    }

    pub(super) fn quantity(
        &self,
        name: &'static str,
        field: &Field,
    ) -> Result<Quantity, OrderError> {
        self.text(name, field)?.parse().map_err(|error| {
            let problem = match error {
                QuantityError::Negative => Problem::Negative,
                QuantityError::TooPrecise => Problem::TooPrecise,
                QuantityError::TooLarge => Problem::TooLarge,
                _ => Problem::NotANumber,
            };
            self.error(name, problem)
        })
    }

    /// A flag that must be there.
    pub(super) fn flag(&self, name: &'static str, field: &Field) -> Result<bool, OrderError> {
        match self.text(name, field)? {
            "Y" | "true" => Ok(true),
            "N" | "false" => Ok(false),
            _ => Err(self.error(name, Problem::NotAFlag)),
        }
    }

    /// A flag that one of the two forms does not have.
    pub(super) fn flag_or(
        &self,
        name: &'static str,
        field: &Field,
        absent: bool,
    ) -> Result<bool, OrderError> {
        if field.is_none() { Ok(absent) } else { self.flag(name, field) }
    }

    pub(super) fn time(
        &self,
        name: &'static str,
        field: &Field,
    ) -> Result<OffsetDateTime, OrderError> {
        OffsetDateTime::parse(self.text(name, field)?, &Rfc3339)
            .map_err(|_| self.error(name, Problem::NotATime))
    }

    pub(super) fn time_if_any(
        &self,
        name: &'static str,
        field: &Field,
    ) -> Result<Option<OffsetDateTime>, OrderError> {
        if is_empty(field) { Ok(None) } else { self.time(name, field).map(Some) }
    }

    /// The VAT rate of a line: null is "without VAT", and no field at all is a mistake of the
    /// sender's that must not become that.
    pub(super) fn line_vat(
        &self,
        name: &'static str,
        field: Option<&Field>,
    ) -> Result<Vat, OrderError> {
        field
            .ok_or_else(|| self.error(name, Problem::Missing))
            .and_then(|field| self.vat(name, field))
    }

    /// The VAT rate by Bitrix's fraction; null is "without VAT".
    pub(super) fn vat(&self, name: &'static str, field: &Field) -> Result<Vat, OrderError> {
        let Some(scalar) = field else { return Ok(Vat::None) };
        let unknown =
            |text: &str| self.error(name, Problem::VatUnknown(text.chars().take(20).collect()));
        let text = scalar.text().ok_or_else(|| unknown(""))?;
        Vat::from_bitrix_fraction(text).map_err(|_| unknown(text))
    }

    /// Nothing but roubles, where a currency is told.
    pub(super) fn roubles(&self, field: &Field) -> Result<(), OrderError> {
        match field.as_ref().and_then(Scalar::text) {
            None | Some("RUB") => Ok(()),
            Some(code) => {
                Err(self.error("CURRENCY", Problem::Currency(code.chars().take(8).collect())))
            }
        }
    }
}

/// Whether there is no value: null, no field, an empty text.
fn is_empty(field: &Field) -> bool {
    matches!(field, None | Some(Scalar::Text(_))) && field.as_ref().and_then(Scalar::text).is_none()
}
