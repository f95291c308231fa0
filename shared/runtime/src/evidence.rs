//! What a vendor said, fit to be shown: bounded, and without the addresses and phones in it.
//! (A name in free text is not found; whoever can tell fields apart passes on the harmless ones.)

/// The longest evidence, in characters.
const LONGEST: usize = 2_000;
/// What may stand between the digits of a phone.
const WITHIN: [char; 6] = [' ', '-', '(', ')', '.', '\u{a0}'];

/// `text` with e-mail addresses as `‹mail›` and phones as `‹phone›`.
pub(crate) fn masked(text: &str) -> String {
    let letters: Vec<char> = text.chars().take(LONGEST).collect();
    let mut shown = String::with_capacity(text.len());
    let mut rest = letters.as_slice();
    while let [first, tail @ ..] = rest {
        let before = shown.chars().next_back();
        if let Some(after) = past_phone(before, rest) {
            shown.push_str("‹phone›");
            rest = after;
        } else if let Some(after) = past_mail(before, rest) {
            shown.push_str("‹mail›");
            rest = after;
        } else {
            shown.push(*first);
            rest = tail;
        }
    }
    shown
}

/// What follows a phone that begins here: `+` and 10 to 15 digits, 11 digits from 7 or 8, or 10 from 9.
fn past_phone(before: Option<char>, text: &[char]) -> Option<&[char]> {
    if before.is_some_and(|letter| letter.is_alphanumeric() || letter == '+') {
        return None;
    }
    let (plus, number) = match text {
        ['+', number @ ..] => (true, number),
        number => (false, number),
    };
    let first = *number.first().filter(|letter| letter.is_ascii_digit())?;
    let wanted = match (plus, first) {
        (true, _) => 10..=15,
        (false, '7' | '8') => 11..=11,
        (false, '9') => 10..=10,
        _ => return None,
    };
    let (mut digits, mut end) = (0, 0);
    for (place, letter) in number.iter().enumerate() {
        if letter.is_ascii_digit() {
            (digits, end) = (digits + 1, place + 1);
        } else if !WITHIN.contains(letter) || digits == *wanted.end() {
            break;
        }
    }
    let after = number.get(end..)?;
    (wanted.contains(&digits) && !after.first().is_some_and(|letter| letter.is_alphabetic()))
        .then_some(after)
}

/// What follows an e-mail address that begins here.
fn past_mail(before: Option<char>, text: &[char]) -> Option<&[char]> {
    let of_mail = |letter: &char| letter.is_alphanumeric() || "._%+-".contains(*letter);
    if before.is_some_and(|letter| of_mail(&letter)) {
        return None;
    }
    let name = text.iter().take_while(|letter| of_mail(letter)).count();
    let at = text.get(name).filter(|letter| **letter == '@' && name > 0)?;
    let host = text.get(name + at.len_utf8()..)?;
    let length = host.iter().take_while(|letter| of_mail(letter)).count();
    (length > 0).then(|| host.get(length..))?
}

#[cfg(test)]
mod tests {
    use super::{LONGEST, masked};

    #[test]
    fn addresses_and_phones_are_not_shown() {
        for (said, shown) in [
            ("phone +79001234567 is wrong", "phone ‹phone› is wrong"),
            ("+7 (900) 123-45-67", "‹phone›"),
            ("8 900 123 45 67, mail a.b+c@shop.example.", "‹phone›, mail ‹mail›"),
            (
                "{\"Phone\":\"79001234567\",\"Email\":\"иван@почта.рф\"}",
                "{\"Phone\":\"‹phone›\",\"Email\":\"‹mail›\"}",
            ),
            ("9001234567", "‹phone›"),
            ("\u{a0}+375 29 123-45-67", "\u{a0}‹phone›"),
            ("a@", "a@"),
        ] {
            assert_eq!(masked(said), shown, "{said}");
        }
    }

    #[test]
    fn fiscal_data_sums_and_times_are_shown() {
        for said in [
            "FN 9999078900001234, FD 12345, FPD 3522207165",
            "HTTP 400 at 2026-11-22T08:00:00Z",
            "sum 1499.00 differs from 1500.00",
            "order 7, code 0104600000000000215abc",
            "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
        ] {
            assert_eq!(masked(said), said);
        }
    }

    #[test]
    fn it_is_bounded() {
        assert_eq!(masked(&"я".repeat(LONGEST * 2)).chars().count(), LONGEST);
    }
}
