//! Conformance with real receipts: data that is not ours lies beside the workspace, not in it.

use std::{fs, path::Path};

use events::{Money, Quantity, Vat};
use serde_json::Value;

/// The content of a file with foreign data; `None`, said loudly, where it does not lie.
#[expect(clippy::print_stderr, reason = "what is not checked must be seen")]
fn foreign(name: &str) -> Option<String> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/vendors/fiscal");
    let text = fs::read_to_string(folder.join(name)).ok();
    if text.is_none() {
        eprintln!("NOT CHECKED: {name} is missing in {}", folder.display());
    }
    text
}

fn kop(value: &Value) -> Money {
    Money::from_kopecks(value.as_i64().unwrap())
}

fn quantity(value: &Value) -> Quantity {
    value.to_string().parse().unwrap()
}

#[test]
fn real_positions_are_price_times_quantity_half_a_kopeck_up() {
    let Some(table) = foreign("vectors/real_price_quantity_sum.tsv") else { return };
    let rows: Vec<&str> = table.lines().skip(1).collect();
    assert!(rows.len() >= 100, "only {} rows", rows.len());
    for row in rows {
        let cells: Vec<&str> = row.split('\t').collect();
        let price = Money::from_kopecks(cells[0].parse().unwrap());
        let sum = Money::from_kopecks(cells[2].parse().unwrap());
        assert_eq!(price.times(cells[1].parse().unwrap()), Some(sum), "{row}");
    }
}

#[test]
fn real_receipts_are_the_sums_of_their_positions() {
    let Some(text) = foreign("real_fns_receipts_numeric.json") else { return };
    let receipts: Vec<Value> = serde_json::from_str(&text).unwrap();
    let (mut exact, mut rounded) = (0, 0);
    for receipt in &receipts {
        let items = receipt["items"].as_array().unwrap();
        for item in items {
            let product = kop(&item["price"]).times(quantity(&item["quantity"]));
            assert_eq!(product, Some(kop(&item["sum"])), "{item}");
        }
        let sum = Money::sum(items.iter().map(|item| kop(&item["sum"]))).unwrap().kopecks();
        match sum - kop(&receipt["total"]).kopecks() {
            0 => exact += 1,
            1..=99 => rounded += 1,
            other => panic!("{other} kopecks between positions and total: {receipt}"),
        }
    }
    assert!(exact > 100 * rounded / 2, "{exact} exact, {rounded} rounded down to roubles");
}

#[test]
fn a_real_receipt_of_2026_has_22_percent_inside() {
    let Some(text) = foreign("vectors/real_fns_vat22_2026.json") else { return };
    let receipt: Value = serde_json::from_str(&text).unwrap();
    let tax = &receipt["amountsReceiptNds"]["amountsNds"][0]["ndsSum"];
    assert_eq!(Vat::V22.included_in(kop(&receipt["totalSum"])), Some(kop(tax)));
}
