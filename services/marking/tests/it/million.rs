//! How long a large import takes, and how much memory. With `PAROM_CHAOS=long` the full numbers:
//! a million codes in less than two minutes and 150 MB.

use std::{
    fs::File,
    io::{BufWriter, Seek as _, SeekFrom, Write as _},
    time::{Duration, Instant},
};

use crate::{
    files::{GTIN, code, quoted, workbook},
    tables::Tables,
};

fn size() -> usize {
    if std::env::var("PAROM_CHAOS").is_ok_and(|value| value == "long") { 1_000_000 } else { 20_000 }
}

/// How long one import may take. Unoptimised code is several times slower; the figure is for a release.
const LIMIT: Duration = Duration::from_secs(if cfg!(debug_assertions) { 480 } else { 120 });

/// The most memory that this process has had, in MB (each test is a process of its own).
fn peak() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find(|line| line.starts_with("VmHWM:")).unwrap();
    line.split_whitespace().nth(1).unwrap().parse::<u64>().unwrap() / 1024
}

async fn imports(tables: &Tables, file: File, digest: u8, kind: &str) -> (i64, Duration) {
    let began = Instant::now();
    let done = tables.store().import(file, &[digest; 32], kind, "anna").await.unwrap();
    let took = began.elapsed();
    eprintln!("{} rows of {kind}: {:.1} s, peak {} MB", done.rows, took.as_secs_f64(), peak());
    (done.added, took)
}

async fn large(kind: &str, make: impl Fn() -> File) {
    let tables = Tables::new().await;
    let size = size();
    let (added, took) = imports(&tables, make(), 1, kind).await;
    assert_eq!(added, i64::try_from(size).unwrap());
    assert!(took < LIMIT, "{took:?}");
    let moves = tables.number("SELECT count(*) FROM moves").await;
    // The same codes in another file: nothing is added.
    let (added, took) = imports(&tables, make(), 2, kind).await;
    assert_eq!(added, 0);
    assert!(took < LIMIT, "{took:?}");
    assert_eq!(tables.number("SELECT count(*) FROM moves").await, moves);
    assert!(peak() < 150, "{} MB", peak());
}

#[tokio::test(flavor = "multi_thread")]
async fn chaos_a_million_codes_of_a_csv_file() {
    large("csv", || {
        let mut file = BufWriter::new(tempfile::tempfile().unwrap());
        writeln!(file, "code;article").unwrap();
        for number in 0..size() {
            writeln!(file, "{};A-{}", quoted(&code(GTIN, number)), number % 100).unwrap();
        }
        let mut file = file.into_inner().unwrap();
        file.seek(SeekFrom::Start(0)).unwrap();
        file
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn chaos_a_million_codes_of_a_workbook() {
    large("xlsx", || {
        workbook((0..=size()).map(|number| match number {
            0 => vec!["Код маркировки".to_owned(), "Артикул".to_owned()],
            number => vec![code(GTIN, number - 1), format!("A-{}", number % 100)],
        }))
    })
    .await;
}
