//! Which letters are meant: the same words in the web UI, the API and `paromctl`.

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::{letter::CLASSES, web::Problem};

/// Where a letter can stand.
pub(crate) const STATES: [&str; 7] =
    ["open", "queued", "sent", "resolved", "again", "discarded", "settled"];

/// A choice of dead letters. What is not given does not narrow it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Filter {
    /// The worker that gave them up.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "given")]
    pub worker: Option<String>,
    /// Why: `invalid`, `refused`, `unavailable`, `unknown`, `internal`, `unrouted`.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "given")]
    pub class: Option<String>,
    /// Where they stand: `open`, `queued`, `sent`, `resolved`, `again`, `discarded`, `settled`.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "given")]
    pub state: Option<String>,
    /// The group.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "given_id")]
    pub group: Option<Uuid>,
    /// The order's number, exactly.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "given")]
    pub order: Option<String>,
    /// A part of the reason, in either language.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "given")]
    pub text: Option<String>,
}

impl Filter {
    /// A class or a state that there is not is a slip of the pen, and not a choice of nothing.
    pub(crate) fn check(&self) -> Result<(), Problem> {
        for (given, known, ru, en) in [
            (&self.class, &CLASSES[..], "Такого класса нет", "There is no such class"),
            (&self.state, &STATES[..], "Такого состояния нет", "There is no such state"),
        ] {
            let Some(given) = given.as_deref().filter(|given| !known.contains(given)) else {
                continue;
            };
            let all = known.join(", ");
            return Err(Problem::wrong(
                &format!("{ru}: «{given}». Бывают: {all}."),
                &format!("{en}: \"{given}\". There are: {all}."),
            ));
        }
        Ok(())
    }

    /// The part of a reason as a LIKE pattern, in whatever case: the column is lower case.
    pub(crate) fn like(&self) -> Option<String> {
        let text = self.text.as_ref()?;
        let plain = text.replace('\\', "\\\\").replace('%', "\\%").replace('_', "\\_");
        Some(format!("%{}%", plain.replace('\0', "")))
    }
}

/// The fields of a form or a query; one may come many times, and those that nobody asks for are
/// not looked at.
#[derive(Debug)]
pub(crate) struct Fields(Vec<(String, String)>);

impl Fields {
    /// Reads `application/x-www-form-urlencoded`.
    pub(crate) fn read(form: &[u8]) -> Self {
        Self(url::form_urlencoded::parse(form).into_owned().collect())
    }

    /// The first field of this name.
    pub(crate) fn one(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }

    /// All letters that are named; `None` when there is no such field. What is no id names none.
    pub(crate) fn ids(&self) -> Option<Vec<Uuid>> {
        self.one("ids").map(|_| self.all("ids"))
    }

    /// All ids in the fields of this name.
    pub(crate) fn all(&self, name: &str) -> Vec<Uuid> {
        let fields = self.0.iter().filter(|(key, _)| key == name);
        fields.filter_map(|(_, value)| value.parse().ok()).collect()
    }

    /// The filter. An empty field is none; a group that is no id fits nothing.
    pub(crate) fn filter(&self) -> Result<Filter, Problem> {
        let given = |name: &str| {
            let text = self.one(name)?.trim().replace('\0', "");
            (!text.is_empty()).then_some(text)
        };
        let filter = Filter {
            worker: given("worker"),
            class: given("class"),
            state: given("state"),
            group: given("group").map(|id| id.parse().unwrap_or_default()),
            order: given("order"),
            text: given("text"),
        };
        filter.check().map(|()| filter)
    }
}

/// An empty field is none.
fn given<'de, D: serde::Deserializer<'de>>(from: D) -> Result<Option<String>, D::Error> {
    let text = Option::<String>::deserialize(from)?;
    let text = text.map(|text| text.trim().replace('\0', ""));
    Ok(text.filter(|text| !text.is_empty()))
}

fn given_id<'de, D: serde::Deserializer<'de>>(from: D) -> Result<Option<Uuid>, D::Error> {
    let text = Option::<String>::deserialize(from)?;
    let text = text.filter(|text| !text.trim().is_empty());
    text.map(|text| text.trim().parse().map_err(serde::de::Error::custom)).transpose()
}
