//! Words and dates that ATOL Online and the brief's contract share: the one took the other's form.

use time::{OffsetDateTime, UtcOffset, macros::format_description};

use crate::receipt::{Object, Settlement, Taxation};

/// Moscow time, as the registers' papers have it.
pub(super) fn timestamp(at: OffsetDateTime) -> String {
    let format = format_description!("[day].[month].[year] [hour]:[minute]:[second]");
    let moscow = UtcOffset::from_hms(3, 0, 0).unwrap_or(UtcOffset::UTC);
    at.to_offset(moscow).format(format).unwrap_or_default()
}

/// The words of tag 1214.
pub(super) fn method(settlement: Settlement) -> &'static str {
    match settlement {
        Settlement::FullPrepayment => "full_prepayment",
        Settlement::Prepayment => "prepayment",
        Settlement::Advance => "advance",
        Settlement::FullPayment => "full_payment",
        Settlement::PartialPayment => "partial_payment",
        Settlement::Credit => "credit",
        Settlement::CreditPayment => "credit_payment",
    }
}

/// The words of tag 1212 that were before marking.
pub(super) fn word(object: Object) -> Option<&'static str> {
    Some(match object {
        Object::Commodity => "commodity",
        Object::Excise => "excise",
        Object::Job => "job",
        Object::Service => "service",
        Object::Payment => "payment",
        Object::Another => "another",
        Object::ExciseMarkable | Object::ExciseMarked | Object::Markable | Object::Marked => {
            return None;
        }
    })
}

/// The words of tag 1055.
pub(super) fn taxation(taxation: Taxation) -> &'static str {
    match taxation {
        Taxation::Osn => "osn",
        Taxation::UsnIncome => "usn_income",
        Taxation::UsnIncomeOutcome => "usn_income_outcome",
        Taxation::Esn => "esn",
        Taxation::Patent => "patent",
    }
}
