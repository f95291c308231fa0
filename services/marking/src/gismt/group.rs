//! Product groups (`pg`), by the codes and numbers of the register.

use serde::{Deserialize, Serialize};

/// A product group that the register knows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub struct Group(&'static str);

/// A word that is no product group.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the product group {0:?} is unknown")]
pub struct UnknownGroup(String);

/// Codes and numbers; two have no published number.
const GROUPS: [(&str, Option<u16>); 45] = [
    ("lp", Some(1)),
    ("shoes", Some(2)),
    ("tobacco", Some(3)),
    ("perfumery", Some(4)),
    ("tires", Some(5)),
    ("electronics", Some(6)),
    ("milk", Some(8)),
    ("bicycle", Some(9)),
    ("wheelchairs", Some(10)),
    ("alcohol", Some(11)),
    ("otp", Some(12)),
    ("water", Some(13)),
    ("furs", Some(14)),
    ("beer", Some(15)),
    ("ncp", Some(16)),
    ("bio", Some(17)),
    ("antiseptic", Some(19)),
    ("petfood", Some(20)),
    ("seafood", Some(21)),
    ("nabeer", Some(22)),
    ("softdrinks", Some(23)),
    ("meat", Some(25)),
    ("vetpharma", Some(26)),
    ("toys", Some(27)),
    ("radio", Some(28)),
    ("titan", Some(31)),
    ("conserve", Some(32)),
    ("vegetableoil", Some(33)),
    ("opticfiber", Some(34)),
    ("chemistry", Some(35)),
    ("books", Some(36)),
    ("grocery", Some(37)),
    ("pharmaraw", Some(38)),
    ("construction", Some(39)),
    ("fire", Some(40)),
    ("heater", Some(41)),
    ("cableraw", Some(42)),
    ("autofluids", Some(43)),
    ("polymer", Some(44)),
    ("sweets", Some(45)),
    ("carparts", Some(48)),
    ("nicotindev", Some(50)),
    ("gadgets", Some(51)),
    ("fertilizers", None),
    ("homeware", None),
];

impl Group {
    /// The group with this code; `None` for a code that nobody knows.
    #[must_use]
    pub fn from_code(code: &str) -> Option<Self> {
        GROUPS.iter().find(|(known, _)| *known == code).map(|(known, _)| Self(known))
    }

    /// Its code, as `pg` takes it.
    #[must_use]
    pub const fn code(self) -> &'static str {
        self.0
    }

    /// Its number, where one is published.
    #[must_use]
    pub fn id(self) -> Option<u16> {
        GROUPS.iter().find(|(code, _)| *code == self.0).and_then(|(_, id)| *id)
    }

    /// All groups.
    pub fn all() -> impl Iterator<Item = Self> {
        GROUPS.iter().map(|(code, _)| Self(code))
    }
}

impl std::fmt::Display for Group {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.0)
    }
}

impl From<Group> for String {
    fn from(group: Group) -> Self {
        group.0.to_owned()
    }
}

impl TryFrom<String> for Group {
    type Error = UnknownGroup;

    fn try_from(code: String) -> Result<Self, UnknownGroup> {
        Self::from_code(&code).ok_or(UnknownGroup(code))
    }
}
