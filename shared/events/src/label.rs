//! What a Data Matrix label of marked goods says: its product, its serial, its crypto tail.
//!
//! Sources: the layouts of the participants' documentation ("Правила нанесения", tables of codes by
//! product group) and what scanners and spreadsheets make of them.

mod elements;
mod gtin;
mod keyboard;
mod ki;
mod repair;

use std::fmt;

pub use gtin::{Gtin, GtinError};
pub use ki::{Ki, KiError};

use crate::{MarkCode, MarkError};

/// The GS1 group separator: ends a part of variable length.
pub(crate) const GS: char = '\u{1d}';

/// A label that was read: what it names, and what had to be mended to read it.
///
/// `Debug` shows the product and the shape only: serial and crypto tail are a bearer's proof.
#[derive(Clone, PartialEq, Eq)]
pub struct Label {
    kind: LabelKind,
    gtin: Option<Gtin>,
    ki: Ki,
    tail: String,
    elements: Vec<(String, String)>,
    repairs: Vec<Repair>,
}

/// What a label is put on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum LabelKind {
    /// GS1: application identifiers 01 and 21, and a tail.
    Gs1,
    /// A pack of tobacco: GTIN, seven characters, price and tail by position.
    TobaccoPack,
    /// A transport pack (SSCC, 18 digits): a box of units, never a unit.
    Sscc,
}

/// What was mended. Each is reported to whoever scans or imports.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[non_exhaustive]
pub enum Repair {
    /// Blanks or line ends around the code.
    Trimmed,
    /// Typed by a scanner while the computer stood in the Russian layout.
    CyrillicLayout,
    /// The scanner's name for the symbology (`]d2`) in front.
    SymbologyPrefix,
    /// A separator in front (FNC1 as the scanner tells it).
    LeadingGs,
    /// A separator at the end.
    TrailingGs,
    /// The apostrophe with which a spreadsheet marks a text.
    Apostrophe,
    /// Brackets around application identifiers, as people write them.
    Brackets,
    /// A word or a blank that stands for the separator: which.
    LiteralGs(&'static str),
    /// The separators were lost, and only one layout has its parts where this code has them.
    GsRestored,
}

impl Repair {
    /// A stable word for reports.
    #[must_use]
    pub fn code(self) -> String {
        match self {
            Self::Trimmed => "trimmed".to_owned(),
            Self::CyrillicLayout => "cyrillic_layout".to_owned(),
            Self::SymbologyPrefix => "symbology_prefix".to_owned(),
            Self::LeadingGs => "leading_gs".to_owned(),
            Self::TrailingGs => "trailing_gs".to_owned(),
            Self::Apostrophe => "apostrophe".to_owned(),
            Self::Brackets => "brackets".to_owned(),
            Self::LiteralGs(word) => format!("literal_gs:{word}"),
            Self::GsRestored => "gs_restored".to_owned(),
        }
    }
}

/// Why a text is no label. The text is never quoted.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum LabelError {
    /// Nothing but blanks.
    #[error("the code is empty")]
    Empty,
    /// Not the bytes of a text.
    #[error("the code is no text")]
    NotText,
    /// Longer than a label can be.
    #[error("the code is longer than {} bytes", MarkCode::MAX_LEN)]
    TooLong,
    /// It does not begin with application identifier 01 and fourteen digits.
    #[error("the code does not begin with 01 and a GTIN")]
    NoGtin,
    /// No application identifier 21 right after the GTIN.
    #[error("there is no serial (application identifier 21) right after the GTIN")]
    NoSerial,
    /// More than twenty characters between 21 and the separator: the separators are lost.
    #[error("the serial is longer than 20 characters: the separators are lost")]
    SerialTooLong,
    /// An application identifier that no layout has: its first characters.
    #[error("the code has an unknown application identifier {0:?}")]
    UnknownIdentifier(String),
    /// The same identifier twice.
    #[error("the code has the application identifier {0} twice")]
    Twice(String),
    /// An identifier without a value, or a value of the wrong length.
    #[error("the part {0} of the code has the wrong length")]
    WrongLength(String),
    /// A blank, a control character or a letter that no label has.
    #[error("the code has a character that no label has")]
    IllegalCharacter,
    /// Two layouts fit, and they name different codes.
    #[error("the separators are lost, and the code can be read in two ways")]
    Ambiguous,
}

impl LabelError {
    /// A stable word for reports, such as `no_ai_21`.
    #[must_use]
    pub fn code(&self) -> String {
        match self {
            Self::Empty => "empty".to_owned(),
            Self::NotText => "not_text".to_owned(),
            Self::TooLong => "too_long".to_owned(),
            Self::NoGtin => "no_ai_01".to_owned(),
            Self::NoSerial => "no_ai_21".to_owned(),
            Self::SerialTooLong => "serial_too_long".to_owned(),
            Self::UnknownIdentifier(start) => format!("unknown_ai:{start}"),
            Self::Twice(identifier) => format!("duplicate_ai:{identifier}"),
            Self::WrongLength(identifier) => format!("wrong_length:{identifier}"),
            Self::IllegalCharacter => "illegal_character".to_owned(),
            Self::Ambiguous => "ambiguous".to_owned(),
        }
    }
}

impl Label {
    /// Reads a label as a scanner, a supplier's file or a shop gives it.
    ///
    /// Only what can be read in one way is mended, and [`Label::repairs`] says what was.
    ///
    /// # Errors
    /// [`LabelError`] tells what is wrong; the code's text is not part of it.
    pub fn parse(text: &str) -> Result<Self, LabelError> {
        if text.len() > MarkCode::MAX_LEN {
            return Err(LabelError::TooLong);
        }
        repair::read(text)
    }

    /// Reads the label behind a mark that a shop has sent.
    ///
    /// # Errors
    /// As [`Label::parse`].
    pub fn of(mark: &MarkCode) -> Result<Self, LabelError> {
        Self::parse(std::str::from_utf8(mark.as_bytes()).map_err(|_| LabelError::NotText)?)
    }

    /// What it is put on.
    #[must_use]
    pub fn kind(&self) -> LabelKind {
        self.kind
    }

    /// The product; a transport pack has none.
    #[must_use]
    pub fn gtin(&self) -> Option<&Gtin> {
        self.gtin.as_ref()
    }

    /// The identification code: what goes into documents of GIS MT.
    #[must_use]
    pub fn ki(&self) -> &Ki {
        &self.ki
    }

    /// The serial: what follows application identifier 21.
    #[must_use]
    pub fn serial(&self) -> Option<&str> {
        match self.kind {
            LabelKind::Gs1 => self.ki.as_str().get(18..),
            LabelKind::TobaccoPack => self.ki.as_str().get(14..),
            LabelKind::Sscc => None,
        }
    }

    /// What follows the identification code on the label, separators included; empty when the
    /// code came without it. Secret.
    #[must_use]
    pub fn tail(&self) -> &str {
        &self.tail
    }

    /// The full code for a receipt (tag 1163): identification code, separators and crypto tail.
    ///
    /// # Errors
    /// None in practice: what was read is no longer than a mark may be.
    pub fn full(&self) -> Result<MarkCode, MarkError> {
        MarkCode::from_text(&format!("{}{}", self.ki.as_str(), self.tail))
    }

    /// The parts of the tail by application identifier, in their order.
    #[must_use]
    pub fn elements(&self) -> &[(String, String)] {
        &self.elements
    }

    /// What had to be mended.
    #[must_use]
    pub fn repairs(&self) -> &[Repair] {
        &self.repairs
    }

    /// Whether it has a tail, or a serial as long as some product group's. What has neither may be a
    /// piece of a code, where codes can be cut in pieces.
    #[must_use]
    pub fn has_usual_shape(&self) -> bool {
        repair::has_usual_shape(self)
    }

    /// Whether its tail is one that some product group has, part by part.
    #[must_use]
    pub fn has_known_tail(&self) -> bool {
        repair::has_known_tail(self)
    }

    /// Characters that GS1's set 82 does not have: such a code is read, and GIS MT has the last
    /// word.
    #[must_use]
    pub fn strange_characters(&self) -> Vec<char> {
        self.ki.as_str().chars().filter(|letter| !is_set_82(*letter)).collect()
    }
}

impl fmt::Debug for Label {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Label")
            .field("kind", &self.kind)
            .field("ki", &self.ki)
            .field("tail", &self.tail.len())
            .field("repairs", &self.repairs)
            .finish_non_exhaustive()
    }
}

/// GS1 General Specifications, figure 7.11: the characters of AI 21 and the like.
fn is_set_82(letter: char) -> bool {
    letter.is_ascii_alphanumeric() || "!\"%&'()*+,-./:;<=>?_".contains(letter)
}
