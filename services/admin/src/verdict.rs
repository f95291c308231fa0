//! Whether the effect has happened, and whether a replay is safe: from the letter's class and what
//! the service said last.

use serde::Serialize;

/// What is known about the effect.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Verdict {
    /// The register has not been asked.
    NotSent,
    /// The register has it: a replay does nothing.
    Accepted,
    /// The register said no: a replay makes the next revision.
    Refused,
    /// Nobody can tell yet; a replay asks the register before it sends anything.
    Unsure,
    /// Nobody can tell, and the worker has stopped for a person.
    Unknown,
}

/// The verdict on a letter of this class whose event's last status had this phase.
pub(crate) fn verdict(class: &str, last_phase: Option<&str>) -> Verdict {
    if last_phase == Some("done") {
        return Verdict::Accepted;
    }
    match class {
        "invalid" | "unrouted" => Verdict::NotSent,
        "refused" => Verdict::Refused,
        "unavailable" | "internal" => Verdict::Unsure,
        // Unknown, and whatever a later version says.
        _ => Verdict::Unknown,
    }
}

impl Verdict {
    /// Whether a person may replay without having looked at the register first.
    pub(crate) fn is_safe(self) -> bool {
        match self {
            Self::NotSent | Self::Refused | Self::Unsure => true,
            Self::Accepted | Self::Unknown => false,
        }
    }

    /// The word in JSON and in CSS.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::NotSent => "not_sent",
            Self::Accepted => "accepted",
            Self::Refused => "refused",
            Self::Unsure => "unsure",
            Self::Unknown => "unknown",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Verdict, verdict};

    #[test]
    fn the_table() {
        for (class, last, expected) in [
            ("invalid", Some("failed"), Verdict::NotSent),
            ("unrouted", None, Verdict::NotSent),
            ("refused", Some("failed"), Verdict::Refused),
            ("refused", Some("done"), Verdict::Accepted),
            ("unavailable", Some("retrying"), Verdict::Unsure),
            ("internal", None, Verdict::Unsure),
            ("unknown", Some("unknown"), Verdict::Unknown),
            ("unknown", Some("done"), Verdict::Accepted),
            ("something new", None, Verdict::Unknown),
        ] {
            assert_eq!(verdict(class, last), expected, "{class} {last:?}");
        }
    }

    #[test]
    fn only_what_nobody_has_looked_at_or_is_there_already_needs_a_look() {
        let safe = [Verdict::NotSent, Verdict::Refused, Verdict::Unsure];
        for verdict in safe.into_iter().chain([Verdict::Accepted, Verdict::Unknown]) {
            assert_eq!(verdict.is_safe(), safe.contains(&verdict));
        }
    }
}
