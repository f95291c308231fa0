//! The phone vectors of the vendors' folder, as the service reads phones.

use events::Phone;

use crate::scenario::foreign;

#[test]
fn all_phone_vectors_hold() {
    let Some(table) = foreign("phone_ru_vectors.tsv") else { return };
    let rows: Vec<Vec<&str>> = table.lines().skip(1).map(|row| row.split('\t').collect()).collect();
    assert!(rows.len() >= 20, "only {} rows", rows.len());
    for row in rows {
        let (input, expected) = (row[0], row[1]);
        let found = Phone::parse_with_extension(input);
        if expected.is_empty() {
            assert!(found.is_err(), "{input:?} gave a number");
        } else {
            let (phone, extension) = found.unwrap_or_else(|error| panic!("{input:?}: {error}"));
            assert_eq!(phone.to_string(), expected, "{input:?}");
            assert_eq!(extension.unwrap_or_default(), row[2], "{input:?}");
        }
    }
}
