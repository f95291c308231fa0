//! What people wish: which letters they mean, and what is to be done with those that nobody knows of.

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::{filter::Filter, web::Problem};

/// Which letters are meant.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Choice {
    /// These and no others, as far as the filter lets them through.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ids: Option<Vec<Uuid>>,
    /// All that fit.
    #[serde(default)]
    pub filter: Filter,
}

/// A wish to replay.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct ReplayWish {
    /// Made by the caller: the same wish told twice is one replay.
    pub id: Uuid,
    /// Which letters.
    #[serde(flatten)]
    pub choice: ChoiceFlat,
    /// Why.
    pub why: String,
    /// Letters in a second.
    #[serde(default)]
    pub rate: Option<i32>,
    /// Also the unknown ones among `ids`: a person has looked, and their effects are not there.
    #[serde(default)]
    pub unknown: bool,
    /// Unknown ones, beside a filter, that a person has looked for and not found. Those that come
    /// in later fit the filter too, and nobody has looked for them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub looked: Vec<Uuid>,
}

/// What a replay is tried with before it is begun.
#[derive(Debug, Clone, Default, Deserialize)]
pub(crate) struct Trial {
    /// Which letters.
    #[serde(flatten)]
    pub choice: ChoiceFlat,
    /// As in [`ReplayWish`].
    #[serde(default)]
    pub unknown: bool,
    /// As in [`ReplayWish`].
    #[serde(default)]
    pub looked: Vec<Uuid>,
}

/// The unknown letters that go too: each was named.
pub(crate) fn looked(
    choice: &ChoiceFlat,
    unknown: bool,
    looked: &[Uuid],
) -> Result<Vec<Uuid>, Problem> {
    let mut looked = looked.to_vec();
    if unknown {
        let ids = choice.ids.as_deref().ok_or_else(|| {
            Problem::wrong(
                "Неизвестные отправляются заново только поимённо: назовите номера остановок.",
                "Unknown ones are sent anew by name only: give the letters' ids.",
            )
        })?;
        looked.extend_from_slice(ids);
    }
    Ok(looked)
}

/// Nothing is chosen by choosing nothing.
pub(crate) fn chosen(ids: Option<&[Uuid]>, filter: &Filter) -> Result<(), Problem> {
    if ids.is_none() && *filter == Filter::default() {
        return Err(Problem::wrong("Выберите остановки.", "Choose letters."));
    }
    filter.check()
}

/// [`Choice`] as a part of another object.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(crate) struct ChoiceFlat {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ids: Option<Vec<Uuid>>,
    #[serde(default)]
    pub filter: Filter,
}
