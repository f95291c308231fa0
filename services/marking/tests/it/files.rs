//! Files as suppliers make them.

use std::{
    fs::File,
    io::{BufWriter, Seek as _, SeekFrom, Write},
};

use zip::{ZipWriter, write::SimpleFileOptions};

/// The product of most tests: its GTIN has a true check digit.
pub(crate) const GTIN: &str = "04653820923088";
/// Another one.
pub(crate) const OTHER_GTIN: &str = "04610053147452";

/// The `number`th code of a product, with separators and tail.
pub(crate) fn code(gtin: &str, number: usize) -> String {
    format!("{}\u{1d}91EE12\u{1d}92{}", ki(gtin, number), crypto(number))
}

/// The same without its tail. Commas, quotes and semicolons stand in it.
pub(crate) fn ki(gtin: &str, number: usize) -> String {
    format!("01{gtin}215,\"{number:09x};")
}

/// A tail of 44 characters that names the code it belongs to.
pub(crate) fn crypto(number: usize) -> String {
    format!("{number:043x}=")
}

/// A file with these bytes.
pub(crate) fn file(bytes: &[u8]) -> File {
    let mut file = tempfile::tempfile().unwrap();
    file.write_all(bytes).unwrap();
    file.seek(SeekFrom::Start(0)).unwrap();
    file
}

/// As RFC 4180 quotes a text.
pub(crate) fn quoted(text: &str) -> String {
    format!("\"{}\"", text.replace('"', "\"\""))
}

/// As XML and OOXML escape a text.
pub(crate) fn escaped(text: &str) -> String {
    let text = text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
    text.replace('\u{1d}', "_x001D_")
}

/// A workbook of one sheet whose texts are shared, as Excel writes it.
pub(crate) fn workbook(rows: impl Iterator<Item = Vec<String>> + Clone) -> File {
    let file = tempfile::tempfile().unwrap();
    let mut zip = ZipWriter::new(BufWriter::new(file));
    let options = SimpleFileOptions::default().compression_level(Some(1));
    let part = |zip: &mut ZipWriter<BufWriter<File>>, name: &str, text: &str| {
        zip.start_file(name, options).unwrap();
        zip.write_all(text.as_bytes()).unwrap();
    };
    part(
        &mut zip,
        "xl/workbook.xml",
        r#"<workbook xmlns:r="r"><sheets><sheet name="Коды" sheetId="1" r:id="rId7"/></sheets></workbook>"#,
    );
    part(
        &mut zip,
        "xl/_rels/workbook.xml.rels",
        r#"<Relationships><Relationship Id="rId7" Type="http://x/worksheet" Target="worksheets/sheet1.xml"/>
           <Relationship Id="rId8" Type="http://x/sharedStrings" Target="/xl/sharedStrings.xml"/></Relationships>"#,
    );
    zip.start_file("xl/worksheets/sheet1.xml", options).unwrap();
    zip.write_all(b"<?xml version=\"1.0\"?><worksheet><sheetData>").unwrap();
    let mut number = 0;
    for (line, row) in (1..).zip(rows.clone()) {
        write!(zip, "<row r=\"{line}\">").unwrap();
        for (column, cell) in ('A'..='Z').zip(row) {
            if cell.is_empty() {
                continue;
            }
            write!(zip, "<c r=\"{column}{line}\" t=\"s\"><v>{number}</v></c>").unwrap();
            number += 1;
        }
        zip.write_all(b"</row>").unwrap();
    }
    zip.write_all(b"</sheetData></worksheet>").unwrap();
    zip.start_file("xl/sharedStrings.xml", options).unwrap();
    zip.write_all(b"<sst>").unwrap();
    for cell in rows.flatten().filter(|cell| !cell.is_empty()) {
        write!(zip, "<si><t xml:space=\"preserve\">{}</t></si>", escaped(&cell)).unwrap();
    }
    zip.write_all(b"</sst>").unwrap();
    let mut file = zip.finish().unwrap().into_inner().unwrap();
    file.seek(SeekFrom::Start(0)).unwrap();
    file
}

/// A workbook of sheets with these names, each with the same rows.
pub(crate) fn sheets(names: &[&str], rows: &str) -> File {
    let mut zip = ZipWriter::new(tempfile::tempfile().unwrap());
    let mut part = |name: &str, text: &str| {
        zip.start_file(name, SimpleFileOptions::default()).unwrap();
        zip.write_all(text.as_bytes()).unwrap();
    };
    let (mut list, mut relations) = (String::new(), String::new());
    for name in names {
        list += &format!("<sheet name=\"{name}\" r:id=\"{name}\"/>");
        relations +=
            &format!("<Relationship Id=\"{name}\" Type=\"worksheet\" Target=\"{name}.xml\"/>");
        part(
            &format!("xl/{name}.xml"),
            &format!("<worksheet><sheetData>{rows}</sheetData></worksheet>"),
        );
    }
    part("xl/workbook.xml", &format!("<workbook><sheets>{list}</sheets></workbook>"));
    part("xl/_rels/workbook.xml.rels", &format!("<Relationships>{relations}</Relationships>"));
    let mut file = zip.finish().unwrap();
    file.seek(SeekFrom::Start(0)).unwrap();
    file
}
