//! Times, sums and ages for people.

use maud::{Markup, html};
use time::{OffsetDateTime, format_description::well_known::Rfc3339, macros::format_description};

use super::MOSCOW;
use crate::config::Language;

/// A moment.
pub(super) fn time(at: OffsetDateTime) -> Markup {
    let shown = at
        .to_offset(MOSCOW)
        .format(format_description!("[day].[month].[year] [hour]:[minute]:[second]"));
    let exact = at.format(&Rfc3339).unwrap_or_default();
    html! { time datetime=(exact) title=(exact) { (shown.unwrap_or_default()) } }
}

/// How long ago, in the largest unit.
pub(super) fn age(language: Language, at: OffsetDateTime) -> String {
    let seconds = (OffsetDateTime::now_utc() - at).whole_seconds().max(0);
    let (count, ru, en) = match seconds {
        0..=119 => (seconds, "с", "s"),
        120..=7_199 => (seconds / 60, "мин", "min"),
        7_200..=172_799 => (seconds / 3_600, "ч", "h"),
        _ => (seconds / 86_400, "дн", "d"),
    };
    format!("{count} {}", language.of(ru, en))
}

/// Roubles and kopecks.
pub(super) fn money(kopecks: i64) -> String {
    let (sign, all) = (if kopecks < 0 { "−" } else { "" }, kopecks.unsigned_abs());
    let digits = (all / 100).to_string();
    let mut roubles = String::new();
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            roubles.push('\u{a0}');
        }
        roubles.push(digit);
    }
    format!("{sign}{roubles},{:02}\u{a0}₽", all % 100)
}

/// Seconds with as many digits as matter.
pub(super) fn seconds(language: Language, seconds: Option<f64>) -> String {
    let Some(seconds) = seconds else { return "—".to_owned() };
    match seconds {
        s if s < 10.0 => format!("{s:.1} {}", language.of("с", "s")),
        s if s < 600.0 => format!("{s:.0} {}", language.of("с", "s")),
        s => {
            let minutes =
                std::time::Duration::try_from_secs_f64(s).unwrap_or_default().as_secs() / 60;
            format!("{minutes} {}", language.of("мин", "min"))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::money;

    #[test]
    fn sums_are_exact() {
        for (kopecks, shown) in [
            (5, "0,05\u{a0}₽"),
            (148_100, "1\u{a0}481,00\u{a0}₽"),
            (-123_456_789, "−1\u{a0}234\u{a0}567,89\u{a0}₽"),
        ] {
            assert_eq!(money(kopecks), shown);
        }
    }
}
