//! What letters have in common: the reason without what differs from one to the next.

use uuid::Uuid;

use crate::letter::Why;

/// A group of letters with one cause.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Group {
    pub id: Uuid,
    pub pattern_ru: String,
    pub pattern_en: String,
}

/// The identities of groups are UUIDv5 in this namespace.
const GROUPS: Uuid = Uuid::from_u128(0x11f4_20d4_1d55_4b0c_a3b7_52f0_d16e_44aa);

/// So many words of the pattern make the group: what a register says in its own words comes after.
const WORDS: usize = 30;

impl Group {
    /// The group of letters that `worker` gave up for this reason.
    pub(crate) fn of(worker: Option<&str>, why: &Why) -> Self {
        let (pattern_ru, pattern_en) = (pattern(&why.ru), pattern(&why.en));
        // The Russian sentences quote goods and companies, the English ones do not.
        let begin: Vec<&str> = pattern_ru.split(' ').take(WORDS).collect();
        let begin = begin.join(" ");
        let name = format!("{} {} {} {begin}", worker.unwrap_or(""), why.class, why.code);
        Self { id: Uuid::new_v5(&GROUPS, name.as_bytes()), pattern_ru, pattern_en }
    }
}

/// What is quoted and everything with a digit in it becomes `…`: goods, order numbers, ids, sums,
/// times; so does a list of several things, and what is said in brackets of one order only. Words
/// stay.
pub(crate) fn pattern(text: &str) -> String {
    let text = without_quoted(text);
    let words: Vec<String> = text.split_whitespace().map(masked).collect();
    let words = without_brackets(&without_lists(&words));
    words.join(" ").chars().take(300).collect()
}

fn masked(word: &str) -> String {
    let core = word.trim_matches(|c: char| !c.is_alphanumeric());
    if core.chars().any(|c| c.is_ascii_digit()) {
        word.replace(core, "…")
    } else {
        word.to_owned()
    }
}

/// Lists of codes (`0104…: sold; 0104…: unknown; and 8 more`) and of wishes (`1) …; 2) …`) differ
/// in what stands in them and how often: several different entries are `…`, equal ones are one.
fn without_lists(words: &[String]) -> Vec<String> {
    let mut all: Vec<String> = Vec::new();
    let mut rest = words;
    while let Some((first, after)) = rest.split_first() {
        if !begins_entry(all.last(), first) {
            all.push(first.clone());
            rest = after;
            continue;
        }
        let (entries, left) = list(rest);
        let (one, several) = (entries.first(), entries.iter().any(|e| Some(e) != entries.first()));
        match one {
            Some(one) if !several => all.extend(one.iter().cloned()),
            _ => all.push("…".to_owned()),
        }
        rest = left;
    }
    all
}

/// An entry begins with its number, or with what it is about and a colon.
fn begins_entry(before: Option<&String>, word: &str) -> bool {
    let apart = before.is_none_or(|before| before.ends_with([':', ';']));
    word == "…)" || word == "…:" && apart
}

/// The entries of the list that these words begin with, without what ends each, and what comes
/// after the list.
fn list(words: &[String]) -> (Vec<Vec<String>>, &[String]) {
    let mut entries: Vec<Vec<String>> = Vec::new();
    let mut rest = words;
    loop {
        let is_entry = rest.first().is_some_and(|word| {
            word == "…)" || word == "…:" || !entries.is_empty() && and_more(rest)
        });
        if !is_entry {
            return (entries, rest);
        }
        let more = !entries.is_empty() && and_more(rest);
        let next = |place: usize| rest.get(place + 1).map_or("", String::as_str);
        let end = (0..rest.len()).find(|place| {
            let word = rest.get(*place).map_or("", String::as_str);
            word.ends_with(';')
                || next(*place) == "…)"
                || word.ends_with('.') && next(*place).starts_with(char::is_uppercase)
        });
        let (entry, after) =
            rest.split_at_checked(end.map_or(rest.len(), |end| end + 1)).unwrap_or((rest, &[]));
        let ends_list = entry.last().is_some_and(|word| word.ends_with('.'));
        if !more {
            let ends = |word: &String| word.trim_end_matches([';', '.', ',']).to_owned();
            entries.push(entry.iter().map(ends).collect());
        }
        rest = after;
        if ends_list {
            return (entries, rest);
        }
    }
}

/// "… and 8 more" is no entry of its own.
fn and_more(words: &[String]) -> bool {
    matches!(words, [first, second, ..] if first == "и" && second == "ещё" || first == "and")
}

/// What stands in brackets beside a number is a register's word about one document; a few plain
/// words are a reason of ours.
fn without_brackets(words: &[String]) -> Vec<String> {
    let mut all: Vec<String> = Vec::new();
    let mut rest = words;
    while let Some((first, after)) = rest.split_first() {
        let end =
            rest.iter().position(|word| word.contains(')')).filter(|_| first.starts_with('('));
        match end.and_then(|end| rest.split_at_checked(end + 1)) {
            Some((inner, after))
                if inner.len() > 1 && inner.iter().any(|word| word.contains('…')) =>
            {
                let tail = inner.last().and_then(|word| word.rsplit_once(')'));
                all.push(format!("(…){}", tail.map_or("", |(_, tail)| tail)));
                rest = after;
            }
            _ => {
                all.push(first.clone());
                rest = after;
            }
        }
    }
    all
}

/// Names of goods and the like differ from order to order; the quotes stay.
fn without_quoted(text: &str) -> String {
    let mut plain = String::new();
    let mut rest = text;
    while let Some((before, quote, after)) = split_at_quote(rest) {
        let close = if quote == '«' { '»' } else { quote };
        plain.push_str(before);
        plain.push(quote);
        match after.split_once(close) {
            Some((_, after)) => {
                plain.push('…');
                plain.push(close);
                rest = after;
            }
            None => rest = after,
        }
    }
    plain.push_str(rest);
    plain
}

fn split_at_quote(text: &str) -> Option<(&str, char, &str)> {
    let (place, quote) = text.char_indices().find(|(_, letter)| matches!(letter, '«' | '"'))?;
    let (before, after) = text.split_at_checked(place)?;
    Some((before, quote, after.strip_prefix(quote)?))
}

#[cfg(test)]
mod tests {
    use super::pattern;

    #[test]
    fn what_differs_between_orders_is_masked() {
        for (text, expected) in [
            ("Чек по заказу № A-1042 не пробит.", "Чек по заказу № … не пробит."),
            (
                "Order 1042: the VAT rate (20) is not known.",
                "Order …: the VAT rate (…) is not known.",
            ),
            ("Ищите acme:1001:55:sell:1:1, затем повторите.", "Ищите …, затем повторите."),
            ("No number here.", "No number here."),
            ("Товар «Сыр Гауда»: ставка «пять».", "Товар «…»: ставка «…»."),
            ("Its payment \"by card\" is odd, and \"so.", "Its payment \"…\" is odd, and \"so."),
        ] {
            assert_eq!(pattern(text), expected);
        }
    }

    #[test]
    fn lists_are_one_pattern_whatever_stands_in_them() {
        let codes = |list: &str| {
            format!(
                "Коды заказа № A-1042 нельзя вывести из оборота: {list}. Отсканируйте другой товар; затем повторите."
            )
        };
        let expected = "Коды заказа № … нельзя вывести из оборота: … Отсканируйте другой товар; затем повторите.";
        for list in [
            "0104…1: Честный знак его не знает; 0104…2: уже выбыл: продан",
            "0104…2: уже выбыл; 0104…3: списан; 0104…2: уже выбыл",
            "0104…2: уже выбыл; 0104…3: списан; и ещё кодов: 8",
        ] {
            assert_eq!(pattern(&codes(list)), expected, "{list}");
        }
        let equal = pattern(&codes("0104…1: уже выбыл; 0104…2: уже выбыл; 0104…3: уже выбыл"));
        assert!(equal.contains("оборота: …: уже выбыл Отсканируйте"), "{equal}");
        assert_eq!(equal, pattern(&codes("0104…7: уже выбыл")));
        for wishes in [
            "УПД по заказу 7 не создан: 1) ИНН 77 неверен; 2) нет КПП. Исправьте заказ.",
            "УПД по заказу 7 не создан: 1) нет КПП; 2) нет адреса; 3) нет имени. Исправьте заказ.",
            "УПД по заказу 7 не создан: 1) нет КПП 2) нет адреса. Исправьте заказ.",
        ] {
            assert_eq!(
                pattern(wishes),
                "УПД по заказу … не создан: … Исправьте заказ.",
                "{wishes}"
            );
        }
        // What is no list stays.
        for (text, expected) in [
            ("Заказ 7: мало; работа продолжится сама.", "Заказ …: мало; работа продолжится сама."),
            (
                "Mend it (the setting delivery) and save.",
                "Mend it (the setting delivery) and save.",
            ),
        ] {
            assert_eq!(pattern(text), expected);
        }
    }

    #[test]
    fn a_registers_own_words_make_few_groups() {
        let said = |words: &str| {
            super::Group::of(
                Some("egais"),
                &crate::letter::Why {
                    class: "refused",
                    code: "document_refused".to_owned(),
                    ru: format!(
                        "ЕГАИС отклонила документ по заказу № A-7 (A-7-1: {words}). Устраните причину, затем повторите."
                    ),
                    en: format!("EGAIS refused it (A-7-1: {words})."),
                    evidence: None,
                    first_error: None,
                    attempts: 1,
                },
            )
        };
        assert_eq!(said("Марка уже списана").id, said("Нет остатка на складе").id);
        let long = |tail: &str| {
            super::Group::of(
                Some("edo"),
                &crate::letter::Why {
                    class: "refused",
                    code: "no".to_owned(),
                    ru: format!("{}{tail}", "слово ".repeat(40)),
                    en: "No.".to_owned(),
                    evidence: None,
                    first_error: None,
                    attempts: 1,
                },
            )
            .id
        };
        assert_eq!(long("так"), long("иначе"));
    }
}
