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

/// The rates of tag 1199, where the receipt tells one. Its 18 % era is over: two old rows are of it.
#[test]
fn vat_in_real_positions_is_ours_to_the_kopeck() {
    let Some(text) = foreign("real_fns_receipts_numeric.json") else { return };
    let receipts: Vec<Value> = serde_json::from_str(&text).unwrap();
    assert_eq!(receipts.len(), 226);
    let (mut ours, mut of_the_old_rate) = (0, 0);
    for item in receipts.iter().flat_map(|receipt| receipt["items"].as_array().unwrap()) {
        let rate = match item["vat_code"].as_i64() {
            Some(1) => Vat::V20,
            Some(2) => Vat::V10,
            Some(3) => Vat::C20,
            Some(4) => Vat::C10,
            _ => continue,
        };
        let Some(tax) = item["vat_sum"].as_i64() else { continue };
        let sum = kop(&item["sum"]).kopecks();
        if rate.included_in(kop(&item["sum"])).unwrap().kopecks() == tax {
            ours += 1;
        } else {
            assert_eq!((sum * 18 * 2 + 118) / (2 * 118), tax, "{item}");
            of_the_old_rate += 1;
        }
    }
    assert_eq!((ours, of_the_old_rate), (39, 2));
}

/// VAT of whole receipts, by rate. Registers add up the positions' VAT or take it of their sum; where
/// no position names its rate, the whole receipt has one. Nine cannot be told: several rates, none named.
#[test]
fn vat_of_real_receipts_is_ours_to_the_kopeck() {
    let Some(text) = foreign("real_fns_receipts_numeric.json") else { return };
    let receipts: Vec<Value> = serde_json::from_str(&text).unwrap();
    let old = |sum: i64| (sum * 18 * 2 + 118) / (2 * 118);
    let (mut ours, mut of_the_old_rate, mut untold) = (0, 0, 0);
    for receipt in &receipts {
        for (name, tax) in receipt["vat_totals"].as_object().unwrap() {
            let (code, rate) = match name.as_str() {
                "vat20_or_18" | "nds20" => (1, Vat::V20),
                "vat10" => (2, Vat::V10),
                "vat120" | "vat120_or_118" => (3, Vat::C20),
                _ => continue,
            };
            let tax = tax.as_i64().unwrap();
            let items = receipt["items"].as_array().unwrap();
            let of_rate = items.iter().filter(|item| item["vat_code"] == code);
            let mut sums: Vec<Money> = of_rate.map(|item| kop(&item["sum"])).collect();
            if sums.is_empty() {
                sums.push(kop(&receipt["total"]));
            }
            let whole = Money::sum(sums.iter().copied()).unwrap();
            let by_items = Money::sum(sums.iter().map(|sum| rate.included_in(*sum).unwrap()));
            let by_sum = rate.included_in(whole);
            let is = |money: Option<Money>| money.unwrap().kopecks() == tax;
            if tax == 0 {
                continue;
            } else if is(by_items) || is(by_sum) {
                ours += 1;
            } else if sums.iter().map(|sum| old(sum.kopecks())).sum::<i64>() == tax {
                of_the_old_rate += 1;
            } else {
                assert!(items.iter().all(|item| item["vat_code"].is_null()), "{receipt}");
                untold += 1;
            }
        }
    }
    assert_eq!((ours, of_the_old_rate, untold), (139, 2, 9));
}

/// Kinds of money make the total; a receipt that offsets a prepayment says so and takes no money.
#[test]
fn real_receipts_are_paid_in_full_by_kinds_of_money() {
    let Some(text) = foreign("real_fns_receipts_numeric.json") else { return };
    let receipts: Vec<Value> = serde_json::from_str(&text).unwrap();
    let (mut whole, mut offsets) = (0, 0);
    for receipt in &receipts {
        let payments = receipt["payments"].as_object().unwrap();
        let paid = Money::sum(payments.values().map(kop)).unwrap();
        whole += usize::from(paid == kop(&receipt["total"]));
        if payments["prepaid"].as_i64() > Some(0) {
            offsets += 1;
            assert_eq!(payments["ecash"], 0);
            assert!(receipt["items"].as_array().unwrap().iter().all(|i| i["payment_method"] == 4));
        }
    }
    assert!(whole + 3 >= receipts.len(), "{whole} of {}", receipts.len());
    assert_eq!(offsets, 1);
}

/// Marked goods stand one by one, each with its code.
#[test]
fn real_marked_goods_stand_piece_by_piece() {
    let Some(text) = foreign("real_fns_receipts_numeric.json") else { return };
    let receipts: Vec<Value> = serde_json::from_str(&text).unwrap();
    let items = receipts.iter().flat_map(|receipt| receipt["items"].as_array().unwrap());
    let marked: Vec<&Value> = items.filter(|item| item["payment_object"] == 33).collect();
    assert!(marked.len() >= 40);
    assert!(marked.iter().all(|item| item["quantity"] == 1), "{marked:?}");
}
