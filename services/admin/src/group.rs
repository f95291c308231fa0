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

impl Group {
    /// The group of letters that `worker` gave up for this reason.
    pub(crate) fn of(worker: Option<&str>, why: &Why) -> Self {
        let (pattern_ru, pattern_en) = (pattern(&why.ru), pattern(&why.en));
        let name = format!("{} {} {} {pattern_en}", worker.unwrap_or(""), why.class, why.code);
        Self { id: Uuid::new_v5(&GROUPS, name.as_bytes()), pattern_ru, pattern_en }
    }
}

/// What is quoted and everything with a digit in it becomes `…`: goods, order numbers, ids, sums,
/// times. Words stay.
pub(crate) fn pattern(text: &str) -> String {
    let text = without_quoted(text);
    let mut words: Vec<String> = Vec::new();
    for word in text.split_whitespace() {
        let core = word.trim_matches(|c: char| !c.is_alphanumeric());
        let masked = if core.chars().any(|c| c.is_ascii_digit()) {
            word.replace(core, "…")
        } else {
            word.to_owned()
        };
        words.push(masked);
    }
    words.join(" ").chars().take(300).collect()
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
}
