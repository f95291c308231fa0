//! How values are written in the file: times, offsets, amounts of money.

use std::time::Duration;

use events::Money;
use serde::{Deserialize, Deserializer, de::Error as _};
use time::UtcOffset;

use crate::ledger::{Lapse, MAX_AMOUNT};

/// The longest time of a rule.
pub(super) const CENTURY: Duration = Duration::from_secs(100 * 366 * 24 * 3600);

pub(super) fn offset<'de, D: Deserializer<'de>>(input: D) -> Result<UtcOffset, D::Error> {
    let text = String::deserialize(input)?;
    let form = time::macros::format_description!("[offset_hour sign:mandatory]:[offset_minute]");
    UtcOffset::parse(&text, form).map_err(|_| D::Error::custom("an offset is written as +03:00"))
}

pub(super) fn money<'de, D: Deserializer<'de>>(input: D) -> Result<Money, D::Error> {
    let amount: Money = String::deserialize(input)?.parse().map_err(D::Error::custom)?;
    match amount.kopecks() {
        ..0 => Err(D::Error::custom("the limit is below zero")),
        0..=MAX_AMOUNT => Ok(amount),
        _ => Err(D::Error::custom("the limit is above ten billion")),
    }
}

pub(super) fn duration<'de, D: Deserializer<'de>>(input: D) -> Result<Duration, D::Error> {
    time(&String::deserialize(input)?).map_err(D::Error::custom)
}

/// A time that sums with the present moment can bear.
pub(super) fn time(text: &str) -> Result<Duration, String> {
    let time = humantime::parse_duration(text).map_err(|error| error.to_string())?;
    if time > CENTURY { Err("a time is longer than a hundred years".to_owned()) } else { Ok(time) }
}

pub(super) fn lapse<'de, D: Deserializer<'de>>(input: D) -> Result<Lapse, D::Error> {
    let text = String::deserialize(input)?;
    match text.strip_prefix("grace ") {
        None if text == "burn" => Ok(Lapse::Burn),
        Some(grace) => match time(grace) {
            Ok(time) if !time.is_zero() => Ok(Lapse::Grace(time)),
            _ => Err(D::Error::custom("a grace is a time such as \"grace 14d\"")),
        },
        None => Err(D::Error::custom("lapsed is \"burn\" or \"grace 14d\"")),
    }
}

pub(super) mod humantime_option {
    use std::time::Duration;

    use serde::{Deserialize, Deserializer, de::Error as _};

    pub(in crate::config) fn deserialize<'de, D: Deserializer<'de>>(
        input: D,
    ) -> Result<Option<Duration>, D::Error> {
        let text = Option::<String>::deserialize(input)?;
        text.map(|text| super::time(&text).map_err(D::Error::custom)).transpose()
    }
}
