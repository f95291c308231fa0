//! The Russian keyboard layout, undone: scanners press keys, and the computer makes letters.

/// Keys of the layout ЙЦУКЕН (Windows) …
const RU: &str = "йцукенгшщзхъфывапролджэячсмитьбю.ёЙЦУКЕНГШЩЗХЪФЫВАПРОЛДЖЭЯЧСМИТЬБЮ,Ё\"№;:?/";
/// … and what the same keys are in the US layout.
const US: &str = "qwertyuiop[]asdfghjkl;'zxcvbnm,./`QWERTYUIOP{}ASDFGHJKL:\"ZXCVBNM<>?~@#$^&|";

/// Whether a letter gives the Russian layout away.
pub(super) fn is_cyrillic(letter: char) -> bool {
    ('\u{400}'..='\u{4ff}').contains(&letter) || letter == '№'
}

/// The text as it is with the keys read in the US layout: all of it, for punctuation moves too.
pub(super) fn undone(text: &str) -> String {
    let key = |letter| RU.chars().zip(US.chars()).find(|(ru, _)| *ru == letter);
    text.chars().map(|letter| key(letter).map_or(letter, |(_, us)| us)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_key_is_named_once_on_both_sides() {
        assert_eq!(RU.chars().count(), US.chars().count());
        let mut keys: Vec<char> = RU.chars().collect();
        keys.sort_unstable();
        keys.dedup();
        assert_eq!(keys.len(), RU.chars().count());
    }

    #[test]
    fn digits_and_separators_stay() {
        assert_eq!(undone("0104\u{1d}"), "0104\u{1d}");
        assert_eq!(undone("ФИСВ,."), "ABCD?/");
    }
}
