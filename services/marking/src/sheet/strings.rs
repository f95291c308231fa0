//! The shared texts of a workbook, kept on disk: a million codes do not fit into our memory.

use std::{
    fs::File,
    io::{BufWriter, Write as _},
    os::unix::fs::FileExt as _,
};

/// Texts by number, in a file without a name that goes with the process.
pub(super) struct Strings {
    file: File,
    /// Where each text ends.
    ends: Vec<u64>,
}

/// Texts being written.
pub(super) struct Writer {
    file: BufWriter<File>,
    ends: Vec<u64>,
    at: u64,
}

impl Writer {
    pub(super) fn new() -> std::io::Result<Self> {
        let file = BufWriter::with_capacity(256 * 1024, tempfile::tempfile()?);
        Ok(Self { file, ends: Vec::new(), at: 0 })
    }

    pub(super) fn push(&mut self, text: &str) -> std::io::Result<()> {
        self.file.write_all(text.as_bytes())?;
        self.at += u64::try_from(text.len()).unwrap_or(u64::MAX);
        self.ends.push(self.at);
        Ok(())
    }

    /// How many there are.
    pub(super) fn count(&self) -> usize {
        self.ends.len()
    }

    pub(super) fn finish(self) -> std::io::Result<Strings> {
        let file = self.file.into_inner().map_err(std::io::IntoInnerError::into_error)?;
        Ok(Strings { file, ends: self.ends })
    }
}

impl Strings {
    /// The text with this number, put into `text`; `false` when there is none.
    pub(super) fn read(&self, number: usize, text: &mut String) -> std::io::Result<bool> {
        let Some(end) = self.ends.get(number).copied() else { return Ok(false) };
        let start = number.checked_sub(1).and_then(|before| self.ends.get(before).copied());
        let start = start.unwrap_or(0);
        let mut bytes = vec![0; usize::try_from(end - start).unwrap_or(0)];
        self.file.read_exact_at(&mut bytes, start)?;
        text.push_str(&String::from_utf8_lossy(&bytes));
        Ok(true)
    }
}
