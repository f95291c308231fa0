//! Units of measure by OKEI (ОК 015-94): code and the short national name that stands in documents.
//! A code that is not here is refused, unless the settings name it: there is no default unit.

use std::collections::BTreeMap;

/// A unit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unit {
    /// Code by OKEI, three or four digits.
    pub code: String,
    /// Short name, such as `шт`.
    pub name: String,
}

/// Code and short name of the units that trade uses.
const KNOWN: [(&str, &str); 45] = [
    ("003", "мм"),
    ("004", "см"),
    ("005", "дм"),
    ("006", "м"),
    ("008", "км"),
    ("018", "пог. м"),
    ("050", "мм2"),
    ("051", "см2"),
    ("053", "дм2"),
    ("055", "м2"),
    ("059", "га"),
    ("110", "мм3"),
    ("111", "см3"),
    ("112", "л"),
    ("113", "м3"),
    ("161", "мг"),
    ("162", "кар"),
    ("163", "г"),
    ("166", "кг"),
    ("168", "т"),
    ("206", "ц"),
    ("245", "кВт.ч"),
    ("354", "с"),
    ("355", "мин"),
    ("356", "ч"),
    ("359", "сут"),
    ("360", "нед"),
    ("362", "мес"),
    ("366", "год"),
    ("383", "руб"),
    ("625", "лист"),
    ("642", "ед"),
    ("704", "набор"),
    ("715", "пар"),
    ("728", "пач"),
    ("736", "рул"),
    ("744", "%"),
    ("778", "упак"),
    ("792", "чел"),
    ("796", "шт"),
    ("798", "тыс. шт"),
    ("812", "ящ"),
    ("839", "компл"),
    ("868", "бут"),
    ("876", "усл. ед"),
];

impl Unit {
    /// The unit with this code: one that `more` names, or one that is known.
    #[must_use]
    pub fn find(code: &str, more: &BTreeMap<String, String>) -> Option<Self> {
        let code = code.trim();
        let known = || KNOWN.iter().find(|(own, _)| *own == code).map(|(_, name)| *name);
        let name = more.get(code).map(String::as_str).or_else(known)?;
        Some(Self { code: code.to_owned(), name: name.to_owned() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_unit_is_known_or_named_and_never_guessed() {
        let more = BTreeMap::from([("257".to_owned(), "Мбайт".to_owned())]);
        let name = |code: &str| Unit::find(code, &more).map(|unit| unit.name);
        assert_eq!(name(" 796 ").as_deref(), Some("шт"));
        assert_eq!(name("257").as_deref(), Some("Мбайт"));
        assert_eq!((name("999"), name(""), name("шт")), (None, None, None));
    }

    #[test]
    fn the_list_is_sorted_and_each_code_stands_in_it_once() {
        assert!(KNOWN.windows(2).all(|pair| pair[0].0 < pair[1].0));
    }
}
