//! What became of an operation.

use std::time::Duration;

use serde::{Deserialize, Serialize};

/// What became of an operation. Kept for ever under its id: a repeat hears the same.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// Done.
    Ok,
    /// Done beyond the balance, as the policy for offline registers allows: the rest is owed.
    OkOverdraft,
    /// Done as far as the balance went, as the policy for offline registers says.
    Partial,
    /// Refused: there are not that many points.
    InsufficientBalance,
    /// Refused: more than is held.
    ExceedsHold,
    /// Refused: more than is left of the operation that is to be undone.
    ExceedsOriginal,
    /// Refused: a hold is released as a whole, and this is another amount.
    AmountDiffers,
    /// Refused: the hold is spent already.
    AlreadyCaptured,
    /// Refused: released already.
    AlreadyReleased,
    /// Refused: undone already.
    AlreadyReversed,
    /// Refused: what is to be undone was refused itself, so there is nothing to undo.
    NothingToUndo,
    /// Refused: the operation that this refers to is of another kind or another customer.
    WrongReference,
}

impl Outcome {
    /// Every outcome.
    pub const ALL: [Self; 12] = [
        Self::Ok,
        Self::OkOverdraft,
        Self::Partial,
        Self::InsufficientBalance,
        Self::ExceedsHold,
        Self::ExceedsOriginal,
        Self::AmountDiffers,
        Self::AlreadyCaptured,
        Self::AlreadyReleased,
        Self::AlreadyReversed,
        Self::NothingToUndo,
        Self::WrongReference,
    ];

    /// The name on the wire and in the journal.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::OkOverdraft => "ok_overdraft",
            Self::Partial => "partial",
            Self::InsufficientBalance => "insufficient_balance",
            Self::ExceedsHold => "exceeds_hold",
            Self::ExceedsOriginal => "exceeds_original",
            Self::AmountDiffers => "amount_differs",
            Self::AlreadyCaptured => "already_captured",
            Self::AlreadyReleased => "already_released",
            Self::AlreadyReversed => "already_reversed",
            Self::NothingToUndo => "nothing_to_undo",
            Self::WrongReference => "wrong_reference",
        }
    }

    /// The outcome with this name.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|outcome| outcome.as_str() == name)
    }

    /// Whether points moved.
    #[must_use]
    pub const fn is_done(self) -> bool {
        matches!(self, Self::Ok | Self::OkOverdraft | Self::Partial)
    }
}

/// What becomes of points that are given back when the time of their lot is over.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Lapse {
    /// They expire at once.
    Burn,
    /// The lot lives on for this long.
    Grace(Duration),
}
