//! Which column has the codes: by its heading, else by what stands in it.

use events::Label;

use super::{Row, RowFault, SheetError, Take, unit};

/// So many rows are looked at for a heading or for codes.
const SAMPLE: usize = 30;

/// Headings of the column of codes, in lower case without blanks and punctuation.
const CODES: [&str; 18] = [
    "кодмаркировки",
    "кодымаркировки",
    "кодидентификации",
    "кодтовара",
    "код",
    "коды",
    "км",
    "ки",
    "киз",
    "кизы",
    "марка",
    "datamatrix",
    "code",
    "codes",
    "markingcode",
    "cis",
    "uit",
    "sgtin",
];
/// Headings of the product's number.
const GTINS: [&str; 5] = ["gtin", "гтин", "ean", "ean13", "штрихкод"];
/// Headings of the product's name in the shop.
const ARTICLES: [&str; 7] =
    ["артикул", "article", "sku", "xmlid", "внешнийкод", "кодпродукта", "vendorcode"];

/// Where things stand in a row.
#[derive(Debug, Clone, Copy)]
struct Columns {
    code: usize,
    gtin: Option<usize>,
    article: Option<usize>,
    /// More cells than this are a code cut in pieces; none where rows may be of any width.
    width: Option<usize>,
}

/// Takes rows of cells, finds the columns, hands on what it read.
pub(super) struct Table<'a> {
    sheet: Option<String>,
    is_ragged_wrong: bool,
    columns: Option<Columns>,
    waiting: Vec<(u64, Vec<String>)>,
    take: Take<'a>,
    has_rows: bool,
}

impl<'a> Table<'a> {
    /// A table whose rows must not be wider than its heading, if `is_ragged_wrong`.
    pub(super) fn new(sheet: Option<String>, is_ragged_wrong: bool, take: Take<'a>) -> Self {
        let waiting = Vec::new();
        Self { sheet, is_ragged_wrong, columns: None, waiting, take, has_rows: false }
    }

    /// Takes one row.
    pub(super) fn row(&mut self, line: u64, cells: &[String]) -> Result<(), SheetError> {
        if cells.iter().all(|cell| cell.trim().is_empty()) {
            return Ok(());
        }
        self.has_rows = true;
        if let Some(columns) = self.columns {
            return self.hand_on(columns, line, cells);
        }
        if let Some(columns) = self.heading(cells) {
            self.columns = Some(columns);
            // What stands above a heading is a title, unless it is a code.
            let above = std::mem::take(&mut self.waiting);
            for (line, cells) in above {
                if cells.iter().any(|cell| Label::parse(cell).is_ok()) {
                    self.hand_on(columns, line, &cells)?;
                }
            }
            return Ok(());
        }
        self.waiting.push((line, cells.to_vec()));
        if self.waiting.len() >= SAMPLE { self.decide() } else { Ok(()) }
    }

    /// The last row was taken; `false` when the table has rows and no codes.
    pub(super) fn end(mut self) -> Result<bool, SheetError> {
        if self.columns.is_none() && self.has_rows {
            match self.decide() {
                Err(SheetError::NoCodes) => return Ok(false),
                other => other?,
            }
        }
        Ok(true)
    }

    /// Finds the columns in rows without a heading.
    fn decide(&mut self) -> Result<(), SheetError> {
        let rows = std::mem::take(&mut self.waiting);
        let code = most_codes(&rows).ok_or(SheetError::NoCodes)?;
        let widths = || rows.iter().map(|(_, cells)| cells.len());
        let usual = widths().max_by_key(|width| widths().filter(|other| other == width).count());
        let width = usual.filter(|_| self.is_ragged_wrong);
        let columns = Columns { code, gtin: None, article: None, width };
        self.columns = Some(columns);
        for (line, cells) in rows {
            self.hand_on(columns, line, &cells)?;
        }
        Ok(())
    }

    fn heading(&self, cells: &[String]) -> Option<Columns> {
        let names: Vec<String> = cells.iter().map(|cell| bare(cell)).collect();
        let place = |known: &[&str]| names.iter().position(|name| known.contains(&name.as_str()));
        let code = place(&CODES)?;
        let width = Some(cells.len()).filter(|_| self.is_ragged_wrong);
        Some(Columns { code, gtin: place(&GTINS), article: place(&ARTICLES), width })
    }

    fn hand_on(&mut self, columns: Columns, line: u64, cells: &[String]) -> Result<(), SheetError> {
        let cell = |place: usize| cells.get(place).map(String::as_str);
        let label = if columns.width.is_some_and(|width| cells.len() > width) {
            Err(RowFault::Ragged)
        } else {
            let label = unit(cell(columns.code).unwrap_or_default(), columns.gtin.and_then(cell));
            // Where cells are cut at a character that codes may have, a strange one may be half of a code.
            let is_piece = |label: &Label| columns.width.is_some() && !label.has_usual_shape();
            label.and_then(|label| if is_piece(&label) { Err(RowFault::Ragged) } else { Ok(label) })
        };
        let article = columns.article.and_then(cell).map(str::trim).filter(|text| !text.is_empty());
        let article = article.map(|text| text.replace('\0', "").chars().take(200).collect());
        (self.take)(Row { line, sheet: self.sheet.clone(), article, label })
    }
}

/// The column with the most codes; of several, the one whose codes are longest: the full ones.
fn most_codes(rows: &[(u64, Vec<String>)]) -> Option<usize> {
    let width = rows.iter().map(|(_, cells)| cells.len()).max()?;
    let score = |place: usize| {
        let labels = rows.iter().filter_map(|(_, cells)| Label::parse(cells.get(place)?).ok());
        labels.fold((0_usize, 0_usize), |(count, length), label| {
            (count + 1, length + label.tail().len())
        })
    };
    let best = (0..width).rev().max_by_key(|place| score(*place))?;
    (score(best).0 > 0).then_some(best)
}

/// A heading in lower case, letters and digits only.
fn bare(text: &str) -> String {
    text.chars().filter(|letter| letter.is_alphanumeric()).flat_map(char::to_lowercase).collect()
}
