//! Bounds: a file made to exhaust memory or time is refused early, whole, with a word.

use std::io::{self, BufRead, Read};

use super::SheetError;

/// The longest text of a cell (Excel's own limit), in bytes of UTF-8.
pub(super) const CELL: usize = 4 * 32_767;
/// The longest row, in bytes: what one code stands in, with all that suppliers write beside it.
pub(super) const ROW: usize = 1024 * 1024;
/// The most cells of a row: the last column of a sheet is XFD.
pub(super) const CELLS: usize = 16_384;
/// The most shared texts of a workbook: four columns of different texts in a full sheet.
pub(super) const TEXTS: usize = 4 * 1_048_576;
/// The most text of a workbook's cells in all, in bytes: shared texts count as often as they are used.
pub(super) const WHOLE: usize = 4 * 1024 * 1024 * 1024;
/// The most sheets, relations and parts of a workbook.
pub(super) const PARTS: usize = 4_096;

/// What a file has too much of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Bound {
    /// A cell's text.
    Cell,
    /// A row: in a text file, often a quotation mark that nobody closes.
    Row,
    /// Shared texts.
    Texts,
    /// Markup between texts, parts, or sheets.
    Markup,
    /// Text in all.
    Whole,
}

impl Bound {
    /// What is wrong, for people.
    #[must_use]
    pub const fn says(self) -> &'static str {
        match self {
            Self::Cell => "a cell's text is too long",
            Self::Row => "a row is too long: is a quotation mark not closed?",
            Self::Texts => "it has more shared texts than workbooks have",
            Self::Markup => "it has more markup than workbooks have",
            Self::Whole => "it has more text than is read",
        }
    }
}

/// A source that ends with an error when more than [`ROW`] bytes are read of it between two breaths.
pub(super) struct Bounded<R> {
    inner: R,
    left: usize,
}

impl<R> Bounded<R> {
    pub(super) fn new(inner: R) -> Self {
        Self { inner, left: ROW }
    }

    /// A row, or a piece of markup, is done.
    pub(super) fn breathe(&mut self) {
        self.left = ROW;
    }

    fn is_exceeded(&self) -> io::Result<()> {
        if self.left == 0 { Err(io::Error::other(Exceeded)) } else { Ok(()) }
    }
}

impl<R: Read> Read for Bounded<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.is_exceeded()?;
        let read = self.inner.read(buffer)?;
        self.left = self.left.saturating_sub(read);
        Ok(read)
    }
}

impl<R: BufRead> BufRead for Bounded<R> {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        self.is_exceeded()?;
        self.inner.fill_buf()
    }

    fn consume(&mut self, amount: usize) {
        self.left = self.left.saturating_sub(amount);
        self.inner.consume(amount);
    }
}

/// See [`Bounded`].
#[derive(Debug, thiserror::Error)]
#[error("too much at once")]
struct Exceeded;

/// Whether reading ended because of a bound.
pub(super) fn is_exceeded(error: &io::Error) -> bool {
    error.get_ref().is_some_and(|inner| inner.is::<Exceeded>())
}

/// How much text there may still be.
pub(super) struct Budget(usize);

impl Budget {
    pub(super) const fn new() -> Self {
        Self(WHOLE)
    }

    /// Takes so many bytes of it.
    pub(super) fn take(&mut self, bytes: usize) -> Result<(), SheetError> {
        self.0 = self.0.checked_sub(bytes).ok_or(SheetError::TooMuch(Bound::Whole))?;
        Ok(())
    }
}
