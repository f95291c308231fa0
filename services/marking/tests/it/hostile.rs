//! Files that are made to exhaust the service: each is refused early, whole, with a word.

use std::{
    fs::File,
    io::{Seek as _, SeekFrom, Write},
};

use marking::sheet::{self, Bound, SheetError};
use zip::{ZipWriter, write::SimpleFileOptions};

use crate::files::{GTIN, code, escaped, file, quoted};

/// A workbook of one sheet with these shared texts and this sheet, each written in pieces.
fn workbook(
    texts: &mut dyn Iterator<Item = String>,
    sheet: &mut dyn Iterator<Item = String>,
) -> File {
    let mut zip = ZipWriter::new(tempfile::tempfile().unwrap());
    let options = SimpleFileOptions::default().compression_level(Some(1));
    let mut part = |name: &str, pieces: &mut dyn Iterator<Item = String>| {
        zip.start_file(name, options).unwrap();
        for piece in pieces {
            zip.write_all(piece.as_bytes()).unwrap();
        }
    };
    let one = |text: &str| std::iter::once(text.to_owned());
    part(
        "xl/workbook.xml",
        &mut one(
            r#"<workbook><sheets><sheet name="A" sheetId="1" r:id="r1"/></sheets></workbook>"#,
        ),
    );
    part(
        "xl/_rels/workbook.xml.rels",
        &mut one(r#"<Relationships><Relationship Id="r1" Type="x/worksheet" Target="sheet.xml"/>
            <Relationship Id="r2" Type="x/sharedStrings" Target="strings.xml"/></Relationships>"#),
    );
    part("xl/strings.xml", texts);
    part("xl/sheet.xml", sheet);
    let mut file = zip.finish().unwrap();
    file.seek(SeekFrom::Start(0)).unwrap();
    file
}

fn framed(
    before: &str,
    pieces: impl Iterator<Item = String>,
    after: &str,
) -> impl Iterator<Item = String> {
    std::iter::once(before.to_owned()).chain(pieces).chain(std::iter::once(after.to_owned()))
}

fn sheet_of(rows: impl Iterator<Item = String>) -> impl Iterator<Item = String> {
    framed("<worksheet><sheetData>", rows, "</sheetData></worksheet>")
}

/// What becomes of a file: how many rows are read, or the bound that it breaks.
fn read(file: File) -> Result<usize, Bound> {
    let mut rows = 0;
    let read = sheet::read(file, &mut |_| {
        rows += 1;
        Ok(())
    });
    match read {
        Ok(()) => Ok(rows),
        Err(SheetError::TooMuch(bound)) => Err(bound),
        Err(error) => panic!("{error}"),
    }
}

#[test]
fn a_workbook_of_more_texts_than_workbooks_have_is_refused() {
    let thousand = "<si/>".repeat(1000);
    let mut texts = framed("<sst>", std::iter::repeat_n(thousand, 5_000), "</sst>");
    assert_eq!(read(workbook(&mut texts, &mut sheet_of(std::iter::empty()))), Err(Bound::Texts));
}

#[test]
fn a_long_text_that_many_cells_of_a_row_use_is_refused() {
    let long = "x".repeat(100_000);
    let texts = [escaped(&code(GTIN, 1)), long];
    let mut texts =
        framed("<sst>", texts.into_iter().map(|text| format!("<si><t>{text}</t></si>")), "</sst>");
    let cells = "<c t=\"s\"><v>0</v></c>".to_owned() + &"<c t=\"s\"><v>1</v></c>".repeat(1000);
    let mut rows = sheet_of(std::iter::once(format!("<row>{cells}</row>")));
    assert_eq!(read(workbook(&mut texts, &mut rows)), Err(Bound::Row));
}

#[test]
fn markup_without_an_end_is_refused() {
    let megabyte = "x".repeat(1024 * 1024);
    for (before, after) in [("<!--", "-->"), ("<row note=\"", "\"/>"), ("<?x ", "?>"), ("", "")] {
        let pieces = std::iter::repeat_n(megabyte.clone(), 3);
        let mut sheet = sheet_of(framed(before, pieces, after));
        let read = read(workbook(&mut std::iter::once("<sst/>".to_owned()), &mut sheet));
        assert_eq!(read, Err(Bound::Markup), "{before}");
    }
}

#[test]
fn a_cell_that_is_longer_than_cells_are_is_refused() {
    let cell = "x".repeat(200_000);
    let row = format!("<row><c t=\"inlineStr\"><is><t>{cell}</t></is></c></row>");
    let mut sheet = sheet_of(std::iter::once(row));
    let read = read(workbook(&mut std::iter::once("<sst/>".to_owned()), &mut sheet));
    assert_eq!(read, Err(Bound::Cell));
}

#[test]
fn a_workbook_of_very_many_parts_is_refused_before_they_are_listed() {
    let mut zip = ZipWriter::new(tempfile::tempfile().unwrap());
    for number in 0..5_000 {
        zip.start_file(format!("{number}"), SimpleFileOptions::default()).unwrap();
    }
    assert_eq!(read(zip.finish().unwrap()), Err(Bound::Markup));
}

#[test]
fn a_quotation_mark_that_nobody_closes_is_refused_before_the_file_is_in_memory() {
    let rows = |count| -> String {
        (0..count).map(|number| format!("01{GTIN}21{number:013};a coat\n")).collect()
    };
    let first = format!("code;name\n01{GTIN}21AAAAAAAAAAAAA;");
    assert_eq!(
        read(file(format!("{first}\"a \"\"warm\"\"\njacket\"\n{}", rows(9)).as_bytes())),
        Ok(10)
    );
    assert_eq!(
        read(file(format!("{first}\"a jacket\n{}", rows(50_000)).as_bytes())),
        Err(Bound::Row)
    );
    // A short file would end inside the cell, and all its codes with it.
    let open = format!("{first}\"a jacket\n{}", rows(9));
    for text in [open.as_str(), open.trim_end()] {
        let read = sheet::read(file(text.as_bytes()), &mut |_| Ok(()));
        assert!(matches!(read, Err(SheetError::OpenQuote)), "{read:?}");
    }
}

#[test]
fn a_row_of_very_many_cells_is_refused() {
    let text = format!("{}{}\n", quoted(&code(GTIN, 1)), ";x".repeat(20_000));
    assert_eq!(read(file(text.as_bytes())), Err(Bound::Row));
}
