//! Imports of suppliers' files.

use marking::store::{ImportError, Imported};
use proptest::prelude::*;

use crate::{
    files::{GTIN, OTHER_GTIN, code, file, ki, quoted, workbook},
    tables::Tables,
};

/// Imports bytes; the digest is a number, as if the content had it.
async fn import(tables: &Tables, digest: u8, bytes: &[u8]) -> Result<Imported, ImportError> {
    tables.store().import(file(bytes), &[digest; 32], "codes.csv", "anna").await
}

/// GTIN, article, status and tail of a code.
type Row = (String, Option<String>, String, Option<Vec<u8>>);

fn numbers(import: &Imported) -> [i64; 6] {
    [import.rows, import.added, import.known, import.repeated, import.refused, import.repaired]
}

async fn kis(tables: &Tables) -> Vec<String> {
    sqlx::query_scalar("SELECT ki FROM codes ORDER BY id").fetch_all(tables.pool()).await.unwrap()
}

#[tokio::test]
async fn a_file_with_a_heading_becomes_stock_with_tails_and_history() {
    let tables = Tables::new().await;
    let text = format!(
        "\u{feff}Код маркировки;GTIN;Артикул\r\n{};{GTIN};A-1\r\n{};;\r\n",
        quoted(&code(GTIN, 1)),
        quoted(&ki(OTHER_GTIN, 2))
    );
    let done = import(&tables, 1, text.as_bytes()).await.unwrap();
    assert_eq!(numbers(&done), [2, 2, 0, 0, 0, 0]);
    assert_eq!(kis(&tables).await, [ki(OTHER_GTIN, 2), ki(GTIN, 1)]);
    let rows: Vec<Row> = sqlx::query_as(
        "SELECT gtin, article, status, tail FROM codes LEFT JOIN tails ON code = codes.id ORDER BY gtin DESC",
    )
    .fetch_all(tables.pool())
    .await
    .unwrap();
    let tail = code(GTIN, 1).strip_prefix(&ki(GTIN, 1)).unwrap().as_bytes().to_vec();
    assert_eq!(
        rows[0],
        (GTIN.to_owned(), Some("A-1".to_owned()), "in_stock".to_owned(), Some(tail))
    );
    assert_eq!(rows[1], (OTHER_GTIN.to_owned(), None, "in_stock".to_owned(), None));
    assert_eq!(
        tables
            .number("SELECT count(*) FROM moves WHERE why = 'imported' AND person = 'anna'")
            .await,
        2
    );
}

#[tokio::test]
async fn every_way_to_write_a_file_gives_the_same_codes() {
    let tables = Tables::new().await;
    let codes: Vec<String> = (1..=40).map(|number| code(GTIN, number)).collect();
    let lines = |separator: &str, quotes: bool| -> String {
        let cell = |code: &String| if quotes { quoted(code) } else { code.clone() };
        codes
            .iter()
            .map(|code| format!("{}{separator}Футболка{separator}1\n", cell(code)))
            .collect()
    };
    let semicolons = encoding_rs::WINDOWS_1251.encode(&lines(";", true)).0.into_owned();
    let utf16: Vec<u8> = "\u{feff}"
        .encode_utf16()
        .chain(lines("\t", true).encode_utf16())
        .flat_map(u16::to_le_bytes)
        .collect();
    let files: [Vec<u8>; 6] = [
        codes.join("\n").into_bytes(),
        codes.join("\r\n").into_bytes(),
        semicolons,
        utf16,
        lines(",", true).into_bytes(),
        lines("|", false).into_bytes(),
    ];
    for (digest, bytes) in (1..).zip(files) {
        let done = import(&tables, digest, &bytes).await.unwrap();
        let expected = if digest == 1 { [40, 40, 0, 0, 0, 0] } else { [40, 0, 40, 0, 0, 0] };
        assert_eq!(numbers(&done), expected, "file {digest}");
    }
    let rows = (0..=40).map(|number| match number {
        0 => vec!["Товар".to_owned(), "КИЗ".to_owned()],
        number => vec!["Футболка".to_owned(), code(GTIN, number)],
    });
    let done =
        tables.store().import(workbook(rows), &[99; 32], "codes.xlsx", "anna").await.unwrap();
    assert_eq!(numbers(&done), [40, 0, 40, 0, 0, 0]);
    assert_eq!(tables.number("SELECT count(*) FROM tails").await, 40);
}

#[tokio::test]
async fn each_row_that_is_not_simply_a_new_code_is_told() {
    let tables = Tables::new().await;
    import(&tables, 1, code(GTIN, 1).as_bytes()).await.unwrap();
    let rows = [
        "code;gtin".to_owned(),
        format!("{};{GTIN}", quoted(&code(GTIN, 1))),
        format!("{};{GTIN}", quoted(&code(GTIN, 2))),
        format!("{};{GTIN}", quoted(&ki(GTIN, 2))),
        format!("{};{OTHER_GTIN}", quoted(&code(GTIN, 3))),
        "1.04654E+45;".to_owned(),
        ";04653820923088".to_owned(),
        format!("{};{GTIN}", code(GTIN, 4)),
        format!("{};", quoted(&code(GTIN, 5).replace('\u{1d}', ""))),
        "046000000000000007;".to_owned(),
        format!("{};", quoted(&code("04653820923089", 6))),
    ];
    let done = import(&tables, 2, rows.join("\n").as_bytes()).await.unwrap();
    assert_eq!(numbers(&done), [10, 2, 1, 1, 6, 1]);
    let report = tables.store().report(done.id, 0, 100).await.unwrap();
    let told: Vec<(i64, &str, &str)> =
        report.iter().map(|row| (row.line, row.outcome.as_str(), row.detail.as_str())).collect();
    assert_eq!(
        told,
        [
            (2, "known", ""),
            (4, "repeated", ""),
            (5, "refused", "gtin_differs"),
            (6, "refused", "no_ai_01"),
            (7, "refused", "missing"),
            (8, "refused", "ragged"),
            (9, "repaired", "gs_restored"),
            (10, "refused", "pack"),
            (11, "refused", "gtin_check"),
        ]
    );
    let text: String = sqlx::query_scalar("SELECT string_agg(r::text, ' ') FROM import_rows r")
        .fetch_one(tables.pool())
        .await
        .unwrap();
    assert!(!text.contains("5,\""), "no code stands in a report: {text}");
}

#[tokio::test]
async fn what_stands_beside_a_code_is_never_taken_for_a_part_of_it() {
    // Plain identification codes of thirteen characters, with a size or a colour behind them.
    for (digest, beside) in [(1, "XS"), (2, "ок"), (3, "7"), (4, "")] {
        let tables = Tables::new().await;
        let code = |number: usize| format!("01{GTIN}21{number:013}");
        let text: String = (0..9).map(|number| format!("{};{beside}\n", code(number))).collect();
        let done = import(&tables, digest, text.as_bytes()).await.unwrap();
        assert_eq!(numbers(&done), [9, 9, 0, 0, 0, 0], "{beside}");
        assert!(kis(&tables).await.iter().all(|ki| ki.len() == 31), "{beside}");
    }
    // Full codes in quotes: the tail ends where the code does.
    let tables = Tables::new().await;
    let text: String =
        (0..9).map(|number| format!("{};A-1\n", quoted(&code(GTIN, number)))).collect();
    let done = import(&tables, 1, text.as_bytes()).await.unwrap();
    assert_eq!(numbers(&done), [9, 9, 0, 0, 0, 0]);
    let tails = "SELECT count(*) FROM tails WHERE length(tail) = 54";
    assert_eq!(tables.number(tails).await, 9);
}

#[tokio::test]
async fn a_file_that_comes_again_changes_nothing() {
    let tables = Tables::new().await;
    let text: String = (1..=5).map(|number| code(GTIN, number) + "\n").collect();
    let first = import(&tables, 1, text.as_bytes()).await.unwrap();
    let again = import(&tables, 1, text.as_bytes()).await.unwrap();
    assert_eq!(again, Imported { again: true, ..first.clone() });
    let other = import(&tables, 2, format!("{text}\n").as_bytes()).await.unwrap();
    assert_eq!(numbers(&other), [5, 0, 5, 0, 0, 0]);
    assert_eq!(tables.number("SELECT count(*) FROM moves").await, 5);
    assert_eq!(tables.number("SELECT count(*) FROM codes WHERE import = 1").await, 5);
}

#[tokio::test]
async fn the_same_file_at_the_same_time_is_imported_once() {
    let tables = Tables::new().await;
    let text: String = (1..=500).map(|number| code(GTIN, number) + "\n").collect();
    let imports = (0..4).map(|_| import(&tables, 7, text.as_bytes()));
    let done = futures_util::future::join_all(imports).await;
    let fresh = done.iter().filter(|done| !done.as_ref().unwrap().again).count();
    assert_eq!(fresh, 1);
    assert_eq!(tables.number("SELECT count(*) FROM codes").await, 500);
    assert_eq!(tables.number("SELECT count(*) FROM moves").await, 500);
}

#[tokio::test]
async fn codes_that_differ_in_case_are_two() {
    let tables = Tables::new().await;
    let (upper, lower) = (format!("01{GTIN}21ABCDEFGHIJKLM"), format!("01{GTIN}21abcdefghijklm"));
    let done = import(&tables, 1, format!("{upper}\n{lower}\n").as_bytes()).await.unwrap();
    assert_eq!(numbers(&done), [2, 2, 0, 0, 0, 0]);
}

#[tokio::test]
async fn a_file_that_breaks_off_leaves_no_trace() {
    let tables = Tables::new().await;
    let rows = (1..=3000).map(|number| vec![code(GTIN, number)]);
    let mut whole = Vec::new();
    std::io::Read::read_to_end(&mut workbook(rows), &mut whole).unwrap();
    // A byte in the middle of the packed texts is turned.
    let middle = whole.len() * 3 / 4;
    whole[middle] ^= 0x5a;
    let broken = tables.store().import(file(&whole), &[1; 32], "codes.xlsx", "anna").await;
    assert!(matches!(broken, Err(ImportError::Sheet(_))), "{broken:?}");
    for table in
        ["SELECT count(*) FROM codes", "SELECT count(*) FROM imports", "SELECT count(*) FROM moves"]
    {
        assert_eq!(tables.number(table).await, 0, "{table}");
    }
}

#[tokio::test]
async fn files_without_codes_are_refused_with_a_word() {
    let tables = Tables::new().await;
    let old = [0xD0, 0xCF, 0x11, 0xE0, 0xA1, 0xB1, 0x1A, 0xE1].repeat(100);
    for (bytes, word) in [
        (old.as_slice(), "Excel 97"),
        (b"a;b;c\n1;2;3\n".as_slice(), "no column has"),
        // Two products' numbers side by side are as long as a tobacco code.
        (b"04653820923088;04653820923088".as_slice(), "no column has"),
        (b"04653820923088\t04653820923088\n".as_slice(), "no column has"),
        (b"PK\x03\x04nonsense".as_slice(), "workbook is broken"),
    ] {
        let refused = import(&tables, 1, bytes).await.unwrap_err().to_string();
        assert!(refused.contains(word), "{refused}");
    }
    let empty = import(&tables, 2, b"").await.unwrap();
    assert_eq!(numbers(&empty), [0, 0, 0, 0, 0, 0]);
}

proptest! {
    /// Whatever bytes a file has, reading it ends with rows or a word: `make fuzz` tries very many.
    #[test]
    fn any_bytes_are_read_or_refused(bytes in prop::collection::vec(any::<u8>(), 0..400), kind in 0..3) {
        let bytes = match kind {
            0 => bytes,
            1 => [b"PK\x03\x04".as_slice(), &bytes].concat(),
            _ => [code(GTIN, 1).as_bytes(), b"\n", &bytes].concat(),
        };
        let mut rows = 0;
        let read = marking::sheet::read(file(&bytes), &mut |_| { rows += 1; Ok(()) });
        if kind == 2 {
            let is_open = matches!(read, Err(marking::sheet::SheetError::OpenQuote)) && bytes.contains(&b'"');
            prop_assert!(is_open || read.is_ok() && rows >= 1, "{:?}", read);
        }
    }

    /// A workbook with bytes turned is read or refused, and never read as other codes than it had.
    #[test]
    fn a_damaged_workbook_gives_no_other_codes(at in prop::collection::vec((0_usize..100_000, any::<u8>()), 1..4)) {
        let mut whole = Vec::new();
        let rows = (1..=30).map(|number| vec![code(GTIN, number)]);
        std::io::Read::read_to_end(&mut workbook(rows), &mut whole).unwrap();
        for (place, turn) in at {
            let place = place % whole.len();
            whole[place] ^= turn;
        }
        let known: Vec<String> = (1..=30).map(|number| ki(GTIN, number)).collect();
        let mut found = Vec::new();
        let read = marking::sheet::read(file(&whole), &mut |row| {
            found.extend(row.label.ok().map(|label| label.ki().as_str().to_owned()));
            Ok(())
        });
        // The sums of the archive are checked at the end of each part: only what is read whole counts.
        if read.is_ok() {
            prop_assert!(found.iter().all(|ki| known.contains(ki)));
        }
    }

    /// Cells in any order with any separators are never cut into codes that nobody wrote.
    #[test]
    fn tables_of_any_shape_give_only_their_codes(
        cells in prop::collection::vec(prop::collection::vec(0_usize..6, 1..4), 1..40), separator in 0_usize..4, quotes in any::<bool>(),
    ) {
        let known: Vec<String> = (0..3).map(|number| ki(GTIN, number)).collect();
        let separator = [";", ",", "\t", "|"][separator];
        let cell = |kind: usize| match kind {
            0..=2 if quotes => quoted(&code(GTIN, kind)),
            0..=2 => code(GTIN, kind),
            3 => String::new(),
            4 => "Футболка".to_owned(),
            _ => GTIN.to_owned(),
        };
        let lines: Vec<String> = cells
            .iter()
            .map(|row| row.iter().map(|kind| cell(*kind)).collect::<Vec<_>>().join(separator))
            .collect();
        let mut found = Vec::new();
        let read = marking::sheet::read(file(lines.join("\n").as_bytes()), &mut |row| {
            found.extend(row.label.ok().map(|label| label.ki().as_str().to_owned()));
            Ok(())
        });
        if read.is_ok() && quotes {
            prop_assert!(found.iter().all(|ki| known.contains(ki)), "{:?} of {:?}", found, lines);
        }
    }
}

#[tokio::test]
async fn the_report_of_a_workbook_with_several_sheets_is_read_page_by_page_and_whole() {
    let tables = Tables::new().await;
    // Rows of one number stand in every sheet, and each is refused.
    let rows = || {
        (1..5).map(|line| {
            format!(
                "<row r=\"{line}\"><c t=\"inlineStr\"><is><t>{}</t></is></c></row>",
                if line == 1 { "code" } else { "no code" }
            )
        })
    };
    let file = crate::files::sheets(&["A", "B", "C"], &rows().collect::<String>());
    let done = tables.store().import(file, &[9; 32], "codes.xlsx", "anna").await.unwrap();
    assert_eq!(numbers(&done), [9, 0, 0, 0, 9, 0]);
    let (mut all, mut after) = (Vec::new(), 0);
    loop {
        let page = tables.store().report(done.id, after, 2).await.unwrap();
        let Some(last) = page.last() else { break };
        after = last.id;
        all.extend(page.into_iter().map(|row| (row.sheet.unwrap(), row.line)));
    }
    let sheets = ["A", "B", "C"].into_iter();
    let expected: Vec<(String, i64)> =
        sheets.flat_map(|sheet| (2..5).map(move |line| (sheet.to_owned(), line))).collect();
    assert_eq!(all, expected);
}
