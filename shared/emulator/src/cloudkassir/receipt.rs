//! A receipt as the books show it.

use serde::Serialize;
use time::OffsetDateTime;

use super::check::{Position, Refusal};
use crate::{outgoing::Deliveries, violations::Violations};

/// Where a receipt stands; the names are the vendor's.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub enum Status {
    /// Accepted, not yet fiscalised.
    Queued,
    /// Fiscalised: it has fiscal data.
    Processed,
    /// Will never be fiscalised.
    Error,
}

/// Fiscal data of a processed receipt.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Fiscal {
    /// Tag 1040, ФД: counts up from 1 over the drive.
    pub document_number: u64,
    /// Tag 1077, ФПД.
    pub fiscal_sign: u64,
    /// Tag 1041, ФН.
    pub fiscal_number: String,
    /// Tag 1042, number within the shift.
    pub number: u64,
    /// Tag 1038, number of the shift.
    pub session_number: u64,
    /// When it was fiscalised.
    #[serde(with = "time::serde::rfc3339")]
    pub at: OffsetDateTime,
}

/// A receipt that was accepted: an effect.
#[derive(Debug, Clone, Serialize)]
pub struct Receipt {
    /// The vendor's id.
    pub id: String,
    /// `InvoiceId` of the request.
    pub invoice_id: String,
    /// `AccountId` of the request.
    pub account_id: String,
    /// `Inn` of the request.
    pub inn: String,
    /// `Income`, `IncomeReturn`, `Expense` or `ExpenseReturn`.
    #[serde(rename = "type")]
    pub kind: String,
    /// The total, in kopecks.
    pub total_kopecks: i64,
    /// The positions.
    pub items: Vec<Position>,
    /// `X-Request-ID`, if there was one.
    pub request_id: Option<String>,
    /// How many times it was asked for: 1, plus repeats under the same request id.
    pub requested: u32,
    /// Looks at its status so far.
    pub looks: u32,
    /// Where it stands.
    pub status: Status,
    /// Its fiscal data, once processed.
    pub fiscal: Option<Fiscal>,
    /// `calculationPlace` of the request.
    #[serde(skip)]
    pub(super) calculation_place: String,
    /// The exact text of `CustomerReceipt`.
    #[serde(skip)]
    pub customer_receipt: String,
    /// Whether it is a correction.
    pub correction: bool,
    /// It is bound to end in [`Status::Error`].
    #[serde(skip)]
    pub(super) fails: bool,
}

/// The books in a few numbers.
#[derive(Debug, Clone, Serialize)]
pub struct Summary {
    /// Receipts that are, or will be, fiscal documents.
    pub receipts: usize,
    /// Different pairs of `InvoiceId` and `Type` among them.
    pub distinct_invoices: usize,
    /// Those that have more than one receipt, as `InvoiceId Type`.
    pub duplicated: Vec<String>,
    /// Receipts that are fiscalised.
    pub processed: usize,
    /// Receipts that ended, or will end, in an error.
    pub failed: usize,
    /// Requests refused inside HTTP 200.
    pub refused: usize,
    /// Repeated requests that were answered with the first answer.
    pub repeated: usize,
    /// How the notifications went.
    pub notifications: Deliveries,
    /// Breaches of the protocol.
    #[serde(flatten)]
    pub violations: Violations,
}

/// A refusal, with the invoice it was about if that could be read.
#[derive(Debug, Clone, Serialize)]
pub struct Refused {
    /// `X-Request-ID`, if there was one.
    pub request_id: Option<String>,
    /// What was wrong.
    #[serde(flatten)]
    pub refusal: Refusal,
}

/// Seven letters and digits, different for each place and without visible order.
pub(super) fn receipt_id(place: usize) -> String {
    const DIGITS: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
    const SPACE: u64 = 62_u64.pow(7);
    // The factor has no divisor in common with 62, so that the ids do not repeat.
    let place = u64::try_from(place).unwrap_or_default();
    let mut rest = (place % SPACE * 1_000_003 + 2_718_281_828) % SPACE;
    let mut id = String::with_capacity(7);
    for _ in 0..7 {
        let digit = usize::try_from(rest % 62).ok().and_then(|digit| DIGITS.get(digit));
        id.extend(digit.map(|digit| char::from(*digit)));
        rest /= 62;
    }
    id
}

/// The fiscal data of the n-th document on this drive.
pub(super) fn fiscal(document: u64, drive: &str, at: OffsetDateTime) -> Fiscal {
    const PER_SHIFT: u64 = 500;
    Fiscal {
        document_number: document,
        fiscal_sign: 1_000_000_000 + document.wrapping_mul(2_654_435_761) % 3_294_967_296,
        fiscal_number: drive.to_owned(),
        number: (document - 1) % PER_SHIFT + 1,
        session_number: (document - 1) / PER_SHIFT + 1,
        at,
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    pub(super) fn receipt_ids_do_not_repeat() {
        let ids: HashSet<String> = (0..50_000).map(receipt_id).collect();
        assert_eq!(ids.len(), 50_000);
        assert!(ids.iter().all(|id| id.len() == 7));
    }
}
