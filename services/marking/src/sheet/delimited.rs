//! Text files: CSV with any of the usual separators, or a code on each line.

use std::{
    fs::File,
    io::{BufReader, Read, Seek as _, SeekFrom},
};

use super::{
    Bound, SheetError, Take,
    bound::{self, Bounded},
    columns::Table,
    unit,
};
use encoding_rs::{Encoding, UTF_8, WINDOWS_1251};
use encoding_rs_io::DecodeReaderBytesBuilder;

/// How much of a file is looked at to know its encoding and separator.
const SAMPLE: usize = 64 * 1024;

/// A record after the last one: it is read as such unless a quotation mark is open before it. No text has
/// this character twice.
const LAST: &str = "\n\u{fdd0}\u{fdd0}\n";

/// Whether a text file may have this character between its cells.
pub(super) fn is_separator(letter: char) -> bool {
    letter != '\0' && SEPARATORS.iter().any(|separator| letter == char::from(*separator))
}

/// What is done with a record's line and cells.
type Cells<'a> = &'a mut dyn FnMut(u64, &[String]) -> Result<(), SheetError>;

/// Separators, of equal ones the last; the first stands for "a code on each line".
const SEPARATORS: [u8; 5] = [0, b'|', b',', b'\t', b';'];

pub(super) fn read(mut file: File, take: Take<'_>) -> Result<(), SheetError> {
    let mut start = vec![0; SAMPLE];
    let mut length = 0;
    while length < SAMPLE {
        match file.read(start.get_mut(length..).unwrap_or_default())? {
            0 => break,
            more => length += more,
        }
    }
    start.truncate(length);
    file.seek(SeekFrom::Start(0))?;
    let encoding = encoding(&start, length == SAMPLE);
    let separator = separator(&decoded(&start, encoding)?, length == SAMPLE);
    let text = decoder(BufReader::with_capacity(SAMPLE, file), encoding).chain(LAST.as_bytes());
    let (mut table, mut is_whole) = (Table::new(None, separator != 0, take), false);
    rows(text, separator, &mut |line, cells| match cells {
        [only] if only == LAST.trim() => {
            is_whole = true;
            Ok(())
        }
        cells => table.row(line, cells),
    })?;
    if !is_whole {
        return Err(SheetError::OpenQuote);
    }
    if table.end()? { Ok(()) } else { Err(SheetError::NoCodes) }
}

/// Each record's cells, with the line on which it begins.
fn rows(text: impl Read, separator: u8, take: Cells<'_>) -> Result<(), SheetError> {
    let mut reader = csv::ReaderBuilder::new()
        .delimiter(separator)
        .has_headers(false)
        .flexible(true)
        .from_reader(Bounded::new(text));
    let mut record = csv::StringRecord::new();
    let mut cells = Vec::new();
    loop {
        reader.get_mut().breathe();
        match reader.read_record(&mut record) {
            Ok(false) => return Ok(()),
            Ok(true) if record.len() > bound::CELLS => return Err(SheetError::TooMuch(Bound::Row)),
            Ok(true) => {}
            Err(error) => return Err(broken(error)),
        }
        let line = record.position().map_or(0, csv::Position::line);
        cells.clear();
        cells.extend(record.iter().map(str::to_owned));
        take(line, &cells)?;
    }
}

/// What is wrong, without the text itself.
fn broken(error: csv::Error) -> SheetError {
    let line = error.position().map_or(0, csv::Position::line);
    match error.into_kind() {
        csv::ErrorKind::Io(error) if bound::is_exceeded(&error) => SheetError::TooMuch(Bound::Row),
        csv::ErrorKind::Io(error) => SheetError::Text(error.to_string()),
        _ => SheetError::Text(format!("line {line}")),
    }
}

/// UTF-8 where it is, else the encoding of Russian Windows. A byte order mark is seen later on.
fn encoding(start: &[u8], is_cut: bool) -> &'static Encoding {
    match std::str::from_utf8(start) {
        Ok(_) => UTF_8,
        // A letter that the sample's end cuts in two.
        Err(error) if is_cut && error.error_len().is_none() => UTF_8,
        Err(_) => WINDOWS_1251,
    }
}

fn decoder<R: Read>(bytes: R, encoding: &'static Encoding) -> impl Read {
    DecodeReaderBytesBuilder::new().encoding(Some(encoding)).bom_override(true).build(bytes)
}

fn decoded(start: &[u8], encoding: &'static Encoding) -> Result<String, SheetError> {
    let mut text = String::new();
    decoder(start, encoding).read_to_string(&mut text)?;
    Ok(text)
}

/// The separator with which the most rows have a code in one of their cells.
fn separator(sample: &str, is_cut: bool) -> u8 {
    let whole = match sample.rsplit_once('\n') {
        Some((whole, _)) if is_cut => whole,
        _ => sample,
    };
    let sample: String = whole.lines().take(200).flat_map(|line| [line, "\n"]).collect();
    let score = |separator: u8| {
        let mut count = 0_usize;
        let counted = rows(sample.as_bytes(), separator, &mut |_, cells| {
            // A code of a strange shape may be one with something behind it, or a piece of one.
            let worth = |cell: &String| match unit(cell, None) {
                Ok(label) if label.has_known_tail() => 4,
                Ok(label) if label.has_usual_shape() && label.tail().is_empty() => 3,
                Ok(label) if label.has_usual_shape() => 2,
                Ok(_) => 1,
                Err(_) => 0,
            };
            count += cells.iter().map(worth).max().unwrap_or(0);
            Ok(())
        });
        counted.map_or(0, |()| count)
    };
    SEPARATORS.into_iter().max_by_key(|separator| score(*separator)).unwrap_or(0)
}
