//! Times, sums and ages for people.

use std::time::Duration;

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

/// How long ago.
pub(super) fn age(language: Language, at: OffsetDateTime) -> String {
    span(language, Duration::try_from(OffsetDateTime::now_utc() - at).unwrap_or_default())
}

/// A time as people say it: at most two units, months from two of them on, years from two of those.
pub(super) fn span(language: Language, span: Duration) -> String {
    let seconds = span.as_secs();
    let (minutes, hours, days) = (seconds / 60, seconds / HOUR, seconds / DAY);
    // To the nearest: 90 days are three of them.
    let months = (seconds + MONTH / 2) / MONTH;
    let of = |ru, en| language.of(ru, en);
    let day = of("дн.", if days == 1 { "day" } else { "days" });
    let (first, second) = match seconds {
        0 if !span.is_zero() => ((u64::from(span.subsec_millis()), of("мс", "ms")), (0, "")),
        0..60 => ((seconds, of("с", "s")), (0, "")),
        60..HOUR => ((minutes, of("мин", "min")), (seconds % 60, of("с", "s"))),
        HOUR..DAY => ((hours, of("ч", "h")), (minutes % 60, of("мин", "min"))),
        _ if days < 60 => ((days, day), (hours % 24, of("ч", "h"))),
        _ if months < 24 => ((months, of("мес.", "months")), (0, "")),
        _ => (
            (months / 12, years(language, months / 12)),
            (months % 12, month(language, months % 12)),
        ),
    };
    let part = |(count, unit): (u64, &str)| format!("{count}\u{a0}{unit}");
    if second.0 == 0 { part(first) } else { format!("{} {}", part(first), part(second)) }
}

const HOUR: u64 = 3_600;
const DAY: u64 = 24 * HOUR;
/// A twelfth of a year of 365.25 days.
const MONTH: u64 = 2_629_800;

fn month(language: Language, count: u64) -> &'static str {
    language.of("мес.", if count == 1 { "month" } else { "months" })
}

fn years(language: Language, count: u64) -> &'static str {
    let ru = match (count % 10, count % 100) {
        (_, 11..=14) => "лет",
        (1, _) => "год",
        (2..=4, _) => "года",
        _ => "лет",
    };
    language.of(ru, if count == 1 { "year" } else { "years" })
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
        s => span(language, Duration::try_from_secs_f64(s).unwrap_or_default()),
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::{money, span};
    use crate::config::Language;

    #[test]
    fn a_time_has_two_units_at_most_and_right_plurals() {
        let (minute, hour, day) = (60, 3_600, 86_400);
        for (seconds, ru, en) in [
            (0, "0 с", "0 s"),
            (59, "59 с", "59 s"),
            (5 * minute, "5 мин", "5 min"),
            (5 * minute + 10, "5 мин 10 с", "5 min 10 s"),
            (7 * hour + 26 * minute + 24, "7 ч 26 мин", "7 h 26 min"),
            (day, "1 дн.", "1 day"),
            (4 * day + 7 * hour + 26 * minute, "4 дн. 7 ч", "4 days 7 h"),
            (59 * day, "59 дн.", "59 days"),
            (90 * day, "3 мес.", "3 months"),
            (400 * day, "13 мес.", "13 months"),
            (731 * day, "2 года", "2 years"),
            (790 * day, "2 года 2 мес.", "2 years 2 months"),
            (763 * day, "2 года 1 мес.", "2 years 1 month"),
            (11 * 365 * day + 3 * day, "11 лет", "11 years"),
            (21 * 365 * day + 6 * day, "21 год", "21 years"),
        ] {
            let plain =
                |language| span(language, Duration::from_secs(seconds)).replace('\u{a0}', " ");
            assert_eq!((plain(Language::Ru).as_str(), plain(Language::En).as_str()), (ru, en));
        }
        assert_eq!(span(Language::Ru, Duration::from_millis(100)), "100\u{a0}мс");
    }

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
