//! Workbooks (ECMA-376, `.xlsx`): a zip of XML parts, read as streams.

use std::{
    collections::BTreeMap,
    fs::File,
    io::{BufRead, BufReader, Read as _},
};

use quick_xml::{
    Reader,
    events::{BytesStart, Event},
};
use zip::ZipArchive;

use super::{
    Bound, SheetError, Take, archive,
    bound::{self, Bounded, Budget},
    columns::Table,
    strings::{Strings, Writer},
};

/// The longest part that is read, unpacked: a bomb ends here.
const PART_LONGEST: u64 = 4 * 1024 * 1024 * 1024;

/// Where the parts of a workbook are.
struct Parts {
    sheets: Vec<(String, String)>,
    strings: Option<String>,
}

/// Reads every sheet that has codes. A sheet with rows and without codes counts as nothing, unless
/// no sheet has any.
pub(super) fn read(mut file: File, take: Take<'_>) -> Result<(), SheetError> {
    if archive::parts(&mut file)? > u64::try_from(bound::PARTS).unwrap_or(u64::MAX) {
        return Err(SheetError::TooMuch(Bound::Markup));
    }
    let mut archive = ZipArchive::new(BufReader::new(file)).map_err(broken)?;
    let parts = parts(&mut archive)?;
    let strings = match &parts.strings {
        Some(path) => shared_strings(xml(&mut archive, path)?)?,
        None => Writer::new()?.finish()?,
    };
    let (mut has_codes, mut budget) = (false, Budget::new());
    for (name, path) in &parts.sheets {
        let mut table = Table::new(Some(name.clone()), false, take);
        sheet(xml(&mut archive, path)?, &strings, &mut table, &mut budget)?;
        has_codes |= table.end()?;
    }
    if has_codes { Ok(()) } else { Err(SheetError::NoCodes) }
}

/// A part being read.
type Xml<R> = Reader<Bounded<R>>;

/// The next piece of a part, within its bound.
fn next<'b>(
    reader: &mut Xml<impl BufRead>,
    buffer: &'b mut Vec<u8>,
) -> Result<Event<'b>, SheetError> {
    buffer.clear();
    reader.get_mut().breathe();
    reader.read_event_into(buffer).map_err(|error| match error {
        quick_xml::Error::Io(error) if bound::is_exceeded(&error) => {
            SheetError::TooMuch(Bound::Markup)
        }
        error => broken(error),
    })
}

fn broken(error: impl std::fmt::Display) -> SheetError {
    SheetError::Workbook(error.to_string())
}

fn xml<'a>(
    archive: &'a mut ZipArchive<BufReader<File>>,
    path: &str,
) -> Result<Xml<impl BufRead + use<'a>>, SheetError> {
    let part = archive.by_name(path).map_err(broken)?;
    let part = BufReader::with_capacity(64 * 1024, part.take(PART_LONGEST));
    let mut reader = Reader::from_reader(Bounded::new(part));
    reader.config_mut().check_end_names = false;
    Ok(reader)
}

/// The sheets in their order and the part of shared texts, by the workbook's relations.
fn parts(archive: &mut ZipArchive<BufReader<File>>) -> Result<Parts, SheetError> {
    let mut targets = BTreeMap::new();
    let mut strings = None;
    elements(xml(archive, "xl/_rels/workbook.xml.rels")?, &mut |element| {
        if element.local_name().as_ref() != "Relationship" {
            return;
        }
        let (id, target) = (attribute(element, "Id"), attribute(element, "Target"));
        let kind = attribute(element, "Type").unwrap_or_default();
        let (Some(id), Some(target)) = (id, target) else { return };
        // A target is relative to `xl/`, or absolute.
        let path = target.strip_prefix('/').map_or_else(|| format!("xl/{target}"), str::to_owned);
        if kind.ends_with("/sharedStrings") {
            strings = Some(path.clone());
        }
        targets.insert(id, path);
    })?;
    let is_too_much = |count: usize| count > bound::PARTS;
    let mut sheets = Vec::new();
    elements(xml(archive, "xl/workbook.xml")?, &mut |element| {
        if element.local_name().as_ref() == "sheet" {
            let name = attribute(element, "name").unwrap_or_default();
            let target = attribute(element, "id").and_then(|id| targets.get(&id).cloned());
            sheets.extend(target.map(|target| (name, target)));
        }
    })?;
    if is_too_much(targets.len()) || is_too_much(sheets.len()) {
        return Err(SheetError::TooMuch(Bound::Markup));
    }
    Ok(Parts { sheets, strings })
}

/// The opening elements of a small part.
fn elements(
    mut reader: Xml<impl BufRead>,
    each: &mut dyn FnMut(&BytesStart<'_>),
) -> Result<(), SheetError> {
    let (mut buffer, mut count) = (Vec::new(), 0_usize);
    loop {
        match next(&mut reader, &mut buffer)? {
            Event::Start(element) | Event::Empty(element) => each(&element),
            Event::Eof => return Ok(()),
            _ => {}
        }
        count += 1;
        // Relations and sheets have little beside them.
        if count > 64 * bound::PARTS {
            return Err(SheetError::TooMuch(Bound::Markup));
        }
    }
}

/// The attribute of this local name.
fn attribute(element: &BytesStart<'_>, name: &str) -> Option<String> {
    let mut attributes = element.attributes();
    let mut found = attributes.with_checks(false).filter_map(Result::ok);
    let value = found.find(|attribute| attribute.key.local_name().as_ref() == name)?.value;
    Some(quick_xml::escape::unescape(&value).map_or_else(|_| value.to_string(), |v| v.into_owned()))
}

/// Adds what a text event says to `text`.
fn add(event: &Event<'_>, text: &mut String) -> Result<(), SheetError> {
    match event {
        Event::Text(piece) => text.push_str(piece),
        Event::CData(piece) => text.push_str(piece),
        Event::GeneralRef(reference) => {
            let letter = match &**reference {
                "lt" => Some('<'),
                "gt" => Some('>'),
                "amp" => Some('&'),
                "quot" => Some('"'),
                "apos" => Some('\''),
                _ => reference.resolve_char_ref().map_err(broken)?,
            };
            text.push(letter.ok_or_else(|| broken("an unknown entity"))?);
        }
        _ => {}
    }
    if text.len() > bound::CELL { Err(SheetError::TooMuch(Bound::Cell)) } else { Ok(()) }
}

/// The shared texts; phonetic hints (`rPh`) are no part of them.
fn shared_strings(mut reader: Xml<impl BufRead>) -> Result<Strings, SheetError> {
    let mut writer = Writer::new()?;
    let (mut buffer, mut text) = (Vec::new(), String::new());
    let (mut is_text, mut is_hint) = (false, false);
    loop {
        let event = next(&mut reader, &mut buffer)?;
        match &event {
            Event::Start(element) => match element.local_name().as_ref() {
                "si" => text.clear(),
                "t" => is_text = !is_hint,
                "rPh" => is_hint = true,
                _ => {}
            },
            Event::Empty(element) if element.local_name().as_ref() == "si" => {
                add_text(&mut writer, "")?
            }
            Event::End(element) => match element.local_name().as_ref() {
                "si" => add_text(&mut writer, &unescaped(&text))?,
                "t" => is_text = false,
                "rPh" => is_hint = false,
                _ => {}
            },
            Event::Eof => return Ok(writer.finish()?),
            _ if is_text => add(&event, &mut text)?,
            _ => {}
        }
    }
}

fn add_text(writer: &mut Writer, text: &str) -> Result<(), SheetError> {
    if writer.count() >= bound::TEXTS {
        return Err(SheetError::TooMuch(Bound::Texts));
    }
    Ok(writer.push(text)?)
}

/// A cell while it is read.
#[derive(Default)]
struct Cell {
    column: usize,
    kind: String,
    text: String,
    is_value: bool,
}

/// A row while it is read.
#[derive(Default)]
struct Row {
    cells: Vec<String>,
    /// Bytes of its texts.
    length: usize,
}

/// The row's own number, where it goes on from the row before (ECMA-376, 18.3.1.73: from 1, rising).
fn row_number(row: &BytesStart<'_>, before: u64) -> u64 {
    let number = attribute(row, "r").and_then(|number| number.parse().ok());
    number.filter(|number| *number > before).unwrap_or(before.saturating_add(1))
}

fn sheet(
    mut reader: Xml<impl BufRead>,
    strings: &Strings,
    table: &mut Table<'_>,
    budget: &mut Budget,
) -> Result<(), SheetError> {
    let (mut buffer, mut is_whole) = (Vec::new(), false);
    let (mut line, mut row, mut cell) = (0_u64, Row::default(), Cell::default());
    loop {
        let event = next(&mut reader, &mut buffer)?;
        match &event {
            Event::Start(element) => match element.local_name().as_ref() {
                "row" => {
                    line = row_number(element, line);
                    row.cells.clear();
                    row.length = 0;
                    cell.column = 0;
                }
                "c" => open(element, &mut cell),
                "v" | "t" => cell.is_value = true,
                _ => {}
            },
            Event::Empty(element) if element.local_name().as_ref() == "sheetData" => {
                is_whole = true
            }
            // A cell without a value, which still takes its place.
            Event::Empty(element) if element.local_name().as_ref() == "c" => {
                open(element, &mut cell);
                cell.column += 1;
            }
            Event::End(element) => match element.local_name().as_ref() {
                "v" | "t" => cell.is_value = false,
                "c" => {
                    close(&mut cell, strings, &mut row, budget)?;
                    cell.column += 1;
                }
                "row" => table.row(line, &row.cells)?,
                "sheetData" => is_whole = true,
                _ => {}
            },
            // Read to the end, as only there the archive's checksum is compared.
            Event::Eof if is_whole => return Ok(()),
            Event::Eof => return Err(broken("a sheet breaks off")),
            _ if cell.is_value => add(&event, &mut cell.text)?,
            _ => {}
        }
    }
}

fn open(element: &BytesStart<'_>, cell: &mut Cell) {
    if let Some(column) = attribute(element, "r").as_deref().and_then(column) {
        cell.column = column;
    }
    cell.kind = attribute(element, "t").unwrap_or_default();
    cell.text.clear();
    cell.is_value = false;
}

/// Puts a cell's text where it belongs in its row.
fn close(
    cell: &mut Cell,
    strings: &Strings,
    row: &mut Row,
    budget: &mut Budget,
) -> Result<(), SheetError> {
    if cell.column >= bound::CELLS {
        return Err(broken("a cell stands beyond the last column"));
    }
    let text = match cell.kind.as_str() {
        "s" => {
            let number = cell.text.trim().parse().map_err(broken)?;
            let mut text = String::new();
            if !strings.read(number, &mut text)? {
                return Err(broken("a shared text is missing"));
            }
            text
        }
        "str" | "inlineStr" => unescaped(&cell.text),
        _ => std::mem::take(&mut cell.text),
    };
    budget.take(text.len())?;
    row.length += text.len();
    if row.length > bound::ROW {
        return Err(SheetError::TooMuch(Bound::Row));
    }
    let cells = &mut row.cells;
    if cells.len() <= cell.column {
        cells.resize(cell.column + 1, String::new());
    }
    if let Some(place) = cells.get_mut(cell.column) {
        *place = text;
    }
    Ok(())
}

/// The column of a reference such as `AB12`, from 0.
fn column(reference: &str) -> Option<usize> {
    let letters = reference.bytes().take_while(u8::is_ascii_uppercase);
    let number = letters
        .take(4)
        .fold(0_usize, |number, letter| number * 26 + usize::from(letter - b'A') + 1);
    number.checked_sub(1)
}

/// `_xHHHH_` stands for a character that XML cannot have (`ST_Xstring`, ECMA-376 part 1, 22.9.2.19).
fn unescaped(text: &str) -> String {
    let mut rest = text;
    let mut whole = String::with_capacity(text.len());
    while let Some(at) = rest.find("_x") {
        let (before, escape) = rest.split_at(at);
        whole.push_str(before);
        let hex = escape.get(2..6).filter(|_| escape.get(6..7) == Some("_"));
        let hex = hex.filter(|hex| hex.bytes().all(|byte| byte.is_ascii_hexdigit()));
        match hex.and_then(|hex| u32::from_str_radix(hex, 16).ok()).and_then(char::from_u32) {
            Some(letter) => {
                whole.push(letter);
                rest = escape.get(7..).unwrap_or_default();
            }
            None => {
                whole.push_str("_x");
                rest = escape.get(2..).unwrap_or_default();
            }
        }
    }
    whole.push_str(rest);
    whole
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn escapes_of_spreadsheets_are_undone() {
        assert_eq!(unescaped("a_x001D_b_x005F_x001D_"), "a\u{1d}b_x001D_");
        assert_eq!(unescaped("_x00_xyz_"), "_x00_xyz_");
        assert_eq!(unescaped("щ_x"), "щ_x");
    }

    #[test]
    fn columns_are_counted_in_letters() {
        assert_eq!(column("A1"), Some(0));
        assert_eq!(column("AB12"), Some(27));
        assert_eq!(column("12"), None);
    }

    #[test]
    fn rows_count_from_one_and_rise_whatever_they_say() {
        let said =
            ["r=\"0\"", "", "r=\"7\"", "r=\"3\"", "r=\"x\"", "r=\"18446744073709551615\"", ""];
        let mut before = 0;
        let lines = said.map(|said| {
            let text = format!("row {said}");
            before = row_number(&BytesStart::from_content(text, 3), before);
            before
        });
        assert_eq!(lines, [1, 2, 7, 8, 9, u64::MAX, u64::MAX]);
    }

    fn lines_of(xml: &str) -> Result<Vec<u64>, SheetError> {
        let strings = Writer::new()?.finish()?;
        let mut lines = Vec::new();
        let mut take = |row: super::super::Row| -> Result<(), SheetError> {
            lines.push(row.line);
            Ok(())
        };
        let mut table = Table::new(None, false, &mut take);
        let reader = Reader::from_reader(Bounded::new(xml.as_bytes()));
        sheet(reader, &strings, &mut table, &mut Budget::new())?;
        table.end()?;
        Ok(lines)
    }

    #[test]
    fn a_sheet_that_breaks_off_is_refused() {
        let row = "<row><c t=\"inlineStr\"><is><t>0104600439931256215Abcd</t></is></c></row>";
        let whole = lines_of(&format!("<worksheet><sheetData>{row}</sheetData></worksheet>"));
        assert_eq!(whole.unwrap(), [1]);
        assert_eq!(lines_of("<worksheet><sheetData/></worksheet>").unwrap(), [0_u64; 0]);
        for piece in
            ["<worksheet>", "<worksheet><sheetData>", &format!("<worksheet><sheetData>{row}")]
        {
            assert!(matches!(lines_of(piece), Err(SheetError::Workbook(_))), "{piece}");
        }
    }
}
