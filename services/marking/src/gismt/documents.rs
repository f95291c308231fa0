//! Documents for the register, as exact bytes: JSON without spaces, fields in a fixed order. Pure.
//!
//! The bytes are made once, kept, signed and sent as they are: written again they could differ, and
//! the signature would not hold (422).

mod cancel;
mod primary;
mod returns;
mod withdrawal;

use super::word::words;

pub use cancel::cancel;
pub use primary::{Primary, PrimaryKind};
pub use returns::{Certificate, CertificateKind, Matrix, Return, ReturnType, Returned, return_};
pub use withdrawal::{Party, Product, Withdrawal, withdrawal};

/// Codes in one document (documentation of True API).
pub const MOST_CODES: usize = 30_000;
/// Bytes of one document (documentation of True API).
pub const MOST_BYTES: usize = 31_457_280;

words! {
    /// A document's type.
    DocumentType {
        /// Out of circulation.
        Withdrawal = "LK_RECEIPT",
        /// A withdrawal undone.
        Cancel = "LK_RECEIPT_CANCEL",
        /// Back into circulation.
        Return = "LP_RETURN",
    }
}

words! {
    /// Why a code is out of circulation: `action` of a withdrawal, `withdrawReason` of a code. Words of
    /// older versions (`REMOTE_SALE`, …) are none of these.
    Reason {
        /// Sold at a till.
        Retail = "RETAIL",
        /// Sold at a distance.
        Distance = "DISTANCE",
        /// Sold by samples.
        BySamples = "BY_SAMPLES",
        /// Own needs.
        OwnUse = "OWN_USE",
        /// Own production.
        ProductionUse = "PRODUCTION_USE",
        /// Medical use.
        MedicalUse = "MEDICAL_USE",
        /// Veterinary use.
        VeterinaryUse = "VETERINARY_USE",
        /// Given away.
        Donation = "DONATION",
        /// A state contract.
        StateContract = "STATE_CONTRACT",
        /// A state secret.
        StateSecret = "STATE_SECRET",
        /// Sold by a machine.
        Vending = "VENDING",
        /// To another state of the union.
        EasTrade = "EAS_TRADE",
        /// Out of the union.
        BeyondEecExport = "BEYOND_EEC_EXPORT",
        /// Back to the maker.
        Return = "RETURN",
        /// Damaged or lost.
        DamageLoss = "DAMAGE_LOSS",
        /// Destroyed.
        Destruction = "DESTRUCTION",
        /// Confiscated.
        Confiscation = "CONFISCATION",
        /// Recalled.
        Recall = "RECALL",
        /// Recycled.
        Utilization = "UTILIZATION",
        /// Out of date.
        Expiration = "EXPIRATION",
        /// Packed into something else.
        Packing = "PACKING",
        /// Another one, named in words.
        Other = "OTHER",
    }
}

/// Why a document is not made: it would be refused, or say what is not so.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// No codes.
    #[error("there are no codes in it")]
    Empty,
    /// More codes or bytes than the register takes.
    #[error("it is larger than the register takes")]
    TooLarge,
    /// A code twice.
    #[error("the code {0} is in it twice")]
    Twice(String),
    /// Something that is no KI: a crypto tail, a separator, a space.
    #[error("the code that begins with {0:?} is no KI")]
    NotKi(String),
    /// An INN of neither 10 nor 12 digits.
    #[error("the INN does not have 10 or 12 digits")]
    Inn,
    /// A legal entity without KPP.
    #[error("a legal entity must name its KPP")]
    NoKpp,
    /// A sole trader with KPP.
    #[error("a sole trader has no KPP")]
    Kpp,
    /// A date in the future, or more than five years back.
    #[error("the date {0} is in the future or more than five years back")]
    Date(time::Date),
    /// No price where one is needed.
    #[error("the code {0} has no price")]
    NoPrice(String),
    /// A reason that is to be told in words, and is not; or the other way round.
    #[error("the reason must be told in words if it is OTHER, and only then")]
    OtherReason,
    /// A kind of primary document that does not go with this document.
    #[error("a primary document of the kind {0} does not go with it")]
    PrimaryKind(PrimaryKind),
    /// A primary document that is missing.
    #[error("the primary document is missing")]
    NoPrimary,
    /// A primary document that must not be there.
    #[error("there must be no primary document")]
    Primary,
    /// A custom name that is missing or must not be there.
    #[error("a primary document has a name of its own if its kind is OTHER, and only then")]
    PrimaryName,
    /// A text that is empty or longer than 255 characters.
    #[error("{0} is empty or longer than 255 characters")]
    Text(&'static str),
    /// It is not said whether the buyer had paid.
    #[error("it must be said whether the buyer had paid")]
    NoPaid,
    /// It is said whether the buyer had paid, where nobody asks.
    #[error("it must not be said whether the buyer had paid")]
    Paid,
    /// This return does not follow that withdrawal.
    #[error("{return_type} cannot follow a withdrawal by {reason}")]
    Follows {
        /// The return.
        return_type: ReturnType,
        /// How the code went out of circulation.
        reason: Reason,
    },
    /// A certificate at the document and at a code.
    #[error("a certificate stands at the document or at its codes, not both")]
    CertificateTwice,
    /// It could not be written as JSON.
    #[error("it could not be written: {0}")]
    Json(String),
}

/// A KI: printable characters of GS1, no crypto tail.
fn is_ki(ki: &str) -> bool {
    (18..=74).contains(&ki.len()) && ki.bytes().all(|byte| byte.is_ascii_graphic())
}

/// All codes are KIs, different, and not too many.
fn codes<'a>(kis: impl ExactSizeIterator<Item = &'a str>) -> Result<(), Refusal> {
    match kis.len() {
        0 => return Err(Refusal::Empty),
        many if many > MOST_CODES => return Err(Refusal::TooLarge),
        _ => {}
    }
    let mut seen = std::collections::HashSet::new();
    for ki in kis {
        if !is_ki(ki) {
            // The product alone: what follows may be a crypto tail.
            return Err(Refusal::NotKi(ki.chars().take(16).collect()));
        }
        if !seen.insert(ki) {
            return Err(Refusal::Twice(ki.to_owned()));
        }
    }
    Ok(())
}

fn inn(inn: &str) -> Result<&str, Refusal> {
    let fits = matches!(inn.len(), 10 | 12) && inn.bytes().all(|byte| byte.is_ascii_digit());
    if fits { Ok(inn) } else { Err(Refusal::Inn) }
}

fn text(what: &'static str, text: &str) -> Result<(), Refusal> {
    let fits = !text.trim().is_empty() && text.chars().count() <= 255;
    if fits { Ok(()) } else { Err(Refusal::Text(what)) }
}

/// A date as the register writes it: `2026-11-21`.
fn written(date: time::Date) -> String {
    let format = time::macros::format_description!("[year]-[month]-[day]");
    date.format(format).unwrap_or_default()
}

fn json(document: &impl serde::Serialize) -> Result<Vec<u8>, Refusal> {
    let bytes = serde_json::to_vec(document).map_err(|error| Refusal::Json(error.to_string()))?;
    if bytes.len() > MOST_BYTES { Err(Refusal::TooLarge) } else { Ok(bytes) }
}
