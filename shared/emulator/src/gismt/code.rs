//! A code on record, and what happened to it.

use serde::{Deserialize, Serialize};

/// A code.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Code {
    /// Its KI.
    pub cis: String,
    /// Its product group.
    #[serde(default = "Code::lp")]
    pub group: String,
    /// Whose it is; the participant's own without one.
    #[serde(default)]
    pub owner_inn: String,
    /// `status`.
    #[serde(default = "Code::introduced")]
    pub status: String,
    /// `statusEx`.
    #[serde(default = "Code::empty")]
    pub status_ex: String,
    /// `packageType`.
    #[serde(default = "Code::unit")]
    pub package: String,
    /// `withdrawReason`.
    #[serde(default)]
    pub reason: Option<String>,
    /// What happened to it, oldest first.
    #[serde(default)]
    pub effects: Vec<Effect>,
    /// What is still shown of it, and for how many looks.
    #[serde(skip)]
    shown: Option<(String, Option<String>, u32)>,
}

/// What happened to a code.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Effect {
    /// The document, or `receipt`.
    pub by: String,
    /// `withdrawn`, `cancelled` or `returned`.
    pub what: String,
    /// The reason, or the type of the return.
    pub why: String,
}

impl Code {
    /// A code of this KI, in circulation and the participant's own.
    #[must_use]
    pub fn new(cis: &str, group: &str) -> Self {
        Self {
            cis: cis.to_owned(),
            group: group.to_owned(),
            owner_inn: String::new(),
            status: Self::introduced(),
            status_ex: Self::empty(),
            package: Self::unit(),
            reason: None,
            effects: Vec::new(),
            shown: None,
        }
    }

    fn lp() -> String {
        "lp".to_owned()
    }

    fn introduced() -> String {
        "INTRODUCED".to_owned()
    }

    fn empty() -> String {
        "EMPTY".to_owned()
    }

    fn unit() -> String {
        "UNIT".to_owned()
    }

    /// Status and reason as they are shown just now; a look brings the truth nearer.
    pub(super) fn look(&mut self) -> (String, Option<String>) {
        let truth = (self.status.clone(), self.reason.clone());
        let Some((status, reason, left)) = self.shown.take() else { return truth };
        if left == 0 {
            return truth;
        }
        self.shown = Some((status.clone(), reason.clone(), left - 1));
        (status, reason)
    }

    pub(super) fn change(&mut self, effect: Effect, lag: u32) {
        self.shown = (lag > 0).then(|| (self.status.clone(), self.reason.clone(), lag));
        let out = effect.what == "withdrawn";
        self.status = if out { "RETIRED" } else { "INTRODUCED" }.to_owned();
        self.reason = out.then(|| effect.why.clone());
        self.effects.push(effect);
    }

    /// Withdrawn twice in a row.
    pub(super) fn doubled(&self) -> bool {
        let out: Vec<bool> = self.effects.iter().map(|effect| effect.what == "withdrawn").collect();
        out.windows(2).any(|pair| pair == [true, true])
    }
}
