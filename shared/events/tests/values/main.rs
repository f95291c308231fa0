//! Laws and vectors of the value types.
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stderr,
    reason = "tests fail by panicking and say aloud what they skip"
)]

mod fuzz;
mod inn;
mod label;
mod mark;
mod money;
mod phone;
mod quantity;
mod vat;

use std::hash::{BuildHasher as _, BuildHasherDefault, DefaultHasher, Hash};
use std::path::Path;

/// The rows below the heading of a tab-separated table, each of exactly `N` cells.
fn rows<const N: usize>(table: &str) -> Vec<[&str; N]> {
    let rows: Vec<[&str; N]> = table
        .lines()
        .skip(1)
        .map(|line| {
            let cells: Vec<&str> = line.split('\t').collect();
            cells.try_into().unwrap_or_else(|cells| panic!("not {N} cells: {cells:?}"))
        })
        .collect();
    assert!(!rows.is_empty(), "a table without rows tests nothing");
    rows
}

/// A file of the vendor material beside the workspace; it is not part of this repository.
fn vendor_file(name: &str) -> Option<String> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/vendors").join(name);
    let text = std::fs::read_to_string(&path).ok();
    if text.is_none() {
        eprintln!("SKIPPED: {} is missing, so its vectors were NOT checked.", path.display());
    }
    text
}

fn hash(value: &impl Hash) -> u64 {
    BuildHasherDefault::<DefaultHasher>::default().hash_one(value)
}
