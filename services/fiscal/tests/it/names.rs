//! Names of positions: our vectors, and laws for every text.

use fiscal::receipt::Name;
use proptest::prelude::*;

#[test]
fn names_are_printed_as_in_the_vectors() {
    let rows: Vec<&str> = include_str!("../vectors/item_names.tsv").lines().skip(1).collect();
    assert_eq!(rows.len(), 6);
    for row in rows {
        let cells: Vec<&str> = row.split('\t').collect();
        let name = Name::new(cells[0]);
        let printed = name.as_ref().map_or("", Name::as_str);
        assert_eq!(printed, cells[1], "{row}");
    }
}

#[test]
fn signs_without_a_glyph_are_written_plainly_or_left_out() {
    for (text, printed) in [
        ("Чай 5\u{a0}м² × 2…", "Чай 5 м2 x 2..."),
        ("  много \t\r\n мест  ", "много мест"),
        ("и\u{306}од", "йод"),
        ("500 ₽ №5 Ёж®", "500 руб. №5 Ёж(R)"),
        ("日本茶 чай", "чай"),
        ("нулевой\u{0}байт", "нулевой байт"),
    ] {
        assert_eq!(Name::new(text).unwrap().as_str(), printed);
    }
    assert_eq!(Name::new("日本茶 😀"), None);
}

proptest! {
    #[test]
    fn every_name_is_printable_short_and_stable(text in "\\PC{0,200}") {
        if let Some(name) = Name::new(&text) {
            let name = name.as_str();
            prop_assert!((1..=128).contains(&name.chars().count()));
            prop_assert_eq!(name.trim(), name);
            let (_, _, unmappable) = encoding_rs::IBM866.encode(name);
            prop_assert!(!unmappable, "{name:?}");
            prop_assert!(!name.chars().any(char::is_control));
            let again = Name::new(name).unwrap();
            prop_assert_eq!(again.as_str(), name);
        }
    }
}
