//! Suppliers' files: rows with codes out of CSV and XLSX, one at a time.
//!
//! Nothing is held in memory but a row, a sample for finding the columns, and eight bytes for each
//! shared text of a workbook. The code of a row is read here; what becomes of it is the caller's.

mod archive;
mod bound;
mod columns;
mod delimited;
mod strings;
mod workbook;

use std::{
    fs::File,
    io::{Read as _, Seek as _, SeekFrom},
};

pub use bound::Bound;
use events::{Gtin, Label, LabelError, Repair};

/// One row with something in it.
#[derive(Debug)]
pub struct Row {
    /// The row's number in its sheet or file, from 1.
    pub line: u64,
    /// The sheet of a workbook.
    pub sheet: Option<String>,
    /// The supplier's or the shop's name for the product.
    pub article: Option<String>,
    /// The code.
    pub label: Result<Label, RowFault>,
}

/// Why a row is not taken.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RowFault {
    /// The code cannot be read.
    #[error("{0}")]
    Label(#[from] LabelError),
    /// More cells than columns: an unquoted code was cut at the file's own separator.
    #[error("the row has more cells than the heading: a code must be in quotes")]
    Ragged,
    /// The check digit of the product's number is wrong: a digit was damaged.
    #[error("the GTIN's check digit is wrong")]
    CheckDigit,
    /// The column GTIN names another product than the code.
    #[error("the column GTIN and the code name different products")]
    OtherGtin,
    /// A transport pack is no unit.
    #[error("the code is a transport pack's and not a unit's")]
    Pack,
    /// Typed in the Russian layout: beside other texts nobody can tell where such a code ends.
    #[error("the code is typed in the Russian keyboard layout: scan it again")]
    Cyrillic,
    /// Nothing in the column of codes.
    #[error("there is no code in the row")]
    Missing,
}

impl RowFault {
    /// A stable word for reports.
    #[must_use]
    pub fn code(&self) -> String {
        match self {
            Self::Label(error) => error.code(),
            Self::Ragged => "ragged".to_owned(),
            Self::CheckDigit => "gtin_check".to_owned(),
            Self::OtherGtin => "gtin_differs".to_owned(),
            Self::Pack => "pack".to_owned(),
            Self::Cyrillic => "cyrillic_layout".to_owned(),
            Self::Missing => "missing".to_owned(),
        }
    }
}

/// Why a whole file is not taken.
#[derive(Debug, thiserror::Error)]
pub enum SheetError {
    /// It cannot be read.
    #[error("the file cannot be read: {0}")]
    Io(#[from] std::io::Error),
    /// A workbook of Excel 97.
    #[error("the file is a workbook of Excel 97: save it as .xlsx or .csv")]
    OldWorkbook,
    /// A broken workbook.
    #[error("the workbook is broken: {0}")]
    Workbook(String),
    /// Broken text.
    #[error("the text is broken: {0}")]
    Text(String),
    /// A text file ends inside quotation marks: what follows the open one would be lost.
    #[error("a quotation mark is not closed")]
    OpenQuote,
    /// More of something than files of suppliers have.
    #[error("{}", .0.says())]
    TooMuch(Bound),
    /// No column has codes.
    #[error("no column has marking codes")]
    NoCodes,
    /// The taker has gone.
    #[error("reading was given up")]
    GivenUp,
}

/// What is done with a row; an error ends reading.
pub type Take<'a> = &'a mut dyn FnMut(Row) -> Result<(), SheetError>;

/// Reads a file of either kind from its beginning, row by row.
///
/// # Errors
/// [`SheetError`]: then the file as a whole is not to be taken.
pub fn read(mut file: File, take: Take<'_>) -> Result<(), SheetError> {
    let mut start = [0; 8];
    file.seek(SeekFrom::Start(0))?;
    let mut got = 0;
    while got < start.len() {
        match file.read(start.get_mut(got..).unwrap_or_default())? {
            0 => break,
            more => got += more,
        }
    }
    file.seek(SeekFrom::Start(0))?;
    if start.starts_with(b"PK\x03\x04") {
        workbook::read(file, take)
    } else if start.starts_with(&[0xD0, 0xCF, 0x11, 0xE0]) {
        Err(SheetError::OldWorkbook)
    } else {
        delimited::read(file, take)
    }
}

/// A code that may go into stock: a unit's, of the product that the row names.
fn unit(text: &str, gtin: Option<&str>) -> Result<Label, RowFault> {
    if text.trim().is_empty() {
        return Err(RowFault::Missing);
    }
    if is_pair_of_numbers(text) {
        return Err(RowFault::Ragged);
    }
    let label = Label::parse(text)?;
    if label.repairs().contains(&Repair::CyrillicLayout) {
        return Err(RowFault::Cyrillic);
    }
    let Some(product) = label.gtin() else { return Err(RowFault::Pack) };
    if !product.has_check_digit() {
        return Err(RowFault::CheckDigit);
    }
    // A column that is no GTIN (a text, a number in scientific form) says nothing.
    let named: Option<Gtin> = gtin.and_then(|gtin| gtin.trim().parse().ok());
    match named {
        Some(named) if named != *product => Err(RowFault::OtherGtin),
        _ => Ok(label),
    }
}

/// Two numbers in neighbouring cells (`04653820923088;04653820923088`): as long as a tobacco code, whose
/// serial may begin with a separator, but never with nothing but digits behind it.
fn is_pair_of_numbers(text: &str) -> bool {
    let is_number = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let cut = text.trim().split_once(delimited::is_separator);
    cut.is_some_and(|(left, right)| is_number(left) && is_number(right))
}
