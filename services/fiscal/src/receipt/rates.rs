//! Which VAT rate is in force when: the law changes it at a year's turn, the shop's catalogue later.

use events::Vat;
use time::{OffsetDateTime, macros::datetime};

/// 5 % and 7 % (simplified tax system) exist from here on: Federal Law 176-FZ of 2024.
const TURN_OF_2025: OffsetDateTime = datetime!(2025-01-01 00:00 +3);
/// 22 % in place of 20 % from here on: Federal Law 425-FZ of 2025.
const TURN_OF_2026: OffsetDateTime = datetime!(2026-01-01 00:00 +3);

/// A rate that does not exist at that time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RateFault(pub Vat);

/// The plain rate at which goods of an order made at `ordered` are sold at `at`.
///
/// An order of 2025 at 20 % that is settled in 2026 is settled at 22 %, whatever was prepaid at
/// 20/120. A new order of 2026 at 20 % is a catalogue that nobody has mended: there is no such
/// rate any more. What is refunded or corrected keeps the rate it was sold at and does not come
/// here.
///
/// # Errors
/// [`RateFault`] for a rate that is not in force.
pub fn in_force(vat: Vat, ordered: OffsetDateTime, at: OffsetDateTime) -> Result<Vat, RateFault> {
    match vat {
        Vat::V20 if at >= TURN_OF_2026 && ordered < TURN_OF_2026 => Ok(Vat::V22),
        Vat::V20 if at >= TURN_OF_2026 => Err(RateFault(vat)),
        Vat::V22 if at < TURN_OF_2026 => Err(RateFault(vat)),
        Vat::V5 | Vat::V7 if at < TURN_OF_2025 => Err(RateFault(vat)),
        _ => Ok(vat),
    }
}
