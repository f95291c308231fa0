//! What a service's metrics say to people on duty: whether its register is away, which stores are
//! silent, whose certificate ends soon, and what it counts. Pure.

use std::{collections::BTreeMap, time::Duration};

use time::OffsetDateTime;

use crate::exposition::{Sample, samples};

/// Something that lasts for a while and that people must know of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Kind {
    /// The register is away: the breaker is open.
    Away,
    /// A store sends nothing.
    Silent,
    /// A certificate ends soon, or has ended.
    Certificate,
}

impl Kind {
    pub(crate) const ALL: [Self; 3] = [Self::Away, Self::Silent, Self::Certificate];

    /// The word in the tables.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Away => "away",
            Self::Silent => "silent",
            Self::Certificate => "certificate",
        }
    }
}

/// From when on people must know.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Limits {
    /// How long a store may be silent.
    pub silent: Duration,
    /// How long before its end a certificate is to be renewed.
    pub certificate: Duration,
}

/// What one service's metrics say, of all its replicas together.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Seen {
    /// Whether it waits for its register; `None` when it does not say.
    pub away: Option<bool>,
    /// What holds, by kind and subject, with the moment that matters: since when a store is
    /// silent, when a certificate ends.
    pub holds: BTreeMap<(Kind, String), Option<OffsetDateTime>>,
    /// What it counts: metric, label and number.
    pub counts: BTreeMap<(&'static str, String), u64>,
}

/// Numbers that people look at, with the label that tells them apart. They are read from the
/// service's tables, so each replica tells all of it.
const COUNTS: [(&str, &str); 8] = [
    ("marking_codes", "status"),
    ("marking_documents", "state"),
    ("egais_documents", "state"),
    ("egais_stock_differences", "utm"),
    ("edo_documents", "state"),
    ("receipts_overdue", ""),
    ("loyalty_exceptions_open", ""),
    ("loyalty_parked", ""),
];

/// What these answers of one service's replicas say.
pub(crate) fn read(answers: &[String], limits: Limits, now: OffsetDateTime) -> Seen {
    let mut seen = Seen::default();
    for sample in answers.iter().flat_map(|text| samples(text)) {
        match sample.name {
            "breaker_open" => {
                let open = sample.value > 0.0;
                seen.away = Some(open || seen.away == Some(true));
                if open {
                    seen.holds.insert((Kind::Away, String::new()), None);
                }
            }
            "loyalty_store_silent_seconds" => silent(&mut seen, &sample, limits, now),
            "signer_certificate_not_after_seconds" => certificate(&mut seen, &sample, limits, now),
            _ => count(&mut seen, &sample),
        }
    }
    seen
}

/// Of two replicas the one that has heard the store last is right.
fn silent(seen: &mut Seen, sample: &Sample<'_>, limits: Limits, now: OffsetDateTime) {
    let Ok(silence) = Duration::try_from_secs_f64(sample.value) else { return };
    if silence > limits.silent {
        let key = (Kind::Silent, sample.label("store").to_owned());
        let heard = now.checked_sub(time::Duration::try_from(silence).unwrap_or_default());
        let last = seen.holds.entry(key).or_insert(heard);
        *last = (*last).max(heard);
    }
}

/// 0 stands for a certificate that nobody has read yet. Of two replicas the earlier end counts.
fn certificate(seen: &mut Seen, sample: &Sample<'_>, limits: Limits, now: OffsetDateTime) {
    let end = Duration::try_from_secs_f64(sample.value).ok().filter(|end| !end.is_zero());
    let end = end.and_then(|end| i64::try_from(end.as_secs()).ok());
    let end = end.and_then(|end| OffsetDateTime::from_unix_timestamp(end).ok());
    let Some(end) = end else { return };
    if end - now < limits.certificate {
        let key = (Kind::Certificate, sample.label("signer").to_owned());
        let first = seen.holds.entry(key).or_insert(Some(end));
        *first = (*first).min(Some(end));
    }
}

fn count(seen: &mut Seen, sample: &Sample<'_>) {
    let Some((name, label)) = COUNTS.into_iter().find(|(name, _)| *name == sample.name) else {
        return;
    };
    let Ok(number) = Duration::try_from_secs_f64(sample.value) else { return };
    let known = seen.counts.entry((name, sample.label(label).to_owned())).or_default();
    *known = (*known).max(number.as_secs());
}

#[cfg(test)]
mod tests {
    use super::{Kind, Limits, Seen, read};
    use std::time::Duration;
    use time::{OffsetDateTime, macros::datetime};

    const NOW: OffsetDateTime = datetime!(2026-11-22 12:00 UTC);

    fn said(answers: &[&str]) -> Seen {
        let limits =
            Limits { silent: Duration::from_secs(3600), certificate: Duration::from_secs(86400) };
        read(&answers.iter().map(|text| (*text).to_owned()).collect::<Vec<_>>(), limits, NOW)
    }

    #[test]
    fn one_replica_with_an_open_breaker_is_enough() {
        assert_eq!(said(&["x 1\n"]).away, None, "a service that does not say");
        for (answers, away) in [
            (&["breaker_open 0\n"][..], false),
            (&["breaker_open 1\n"], true),
            (&["breaker_open 1\n", "breaker_open 0\n"], true),
            (&["breaker_open 0\n", "breaker_open 1\n"], true),
        ] {
            let seen = said(answers);
            assert_eq!(seen.away, Some(away), "{answers:?}");
            assert_eq!(seen.holds.contains_key(&(Kind::Away, String::new())), away);
        }
    }

    #[test]
    fn a_store_is_silent_and_a_certificate_ends() {
        let seen = said(&["loyalty_store_silent_seconds{store=\"tver\"} 3601\n\
             loyalty_store_silent_seconds{store=\"perm\"} 3600\n\
             loyalty_store_silent_seconds{store=\"odd\"} NaN\n\
             signer_certificate_not_after_seconds{signer=\"gost\"} 1795435199\n\
             signer_certificate_not_after_seconds{signer=\"far\"} 1795435201\n\
             signer_certificate_not_after_seconds{signer=\"unread\"} 0\n\
             signer_certificate_not_after_seconds{signer=\"over\"} 1700000000\n"]);
        let held: Vec<(Kind, &str)> =
            seen.holds.keys().map(|(kind, subject)| (*kind, subject.as_str())).collect();
        assert_eq!(NOW.unix_timestamp() + 86_400, 1_795_435_200);
        assert_eq!(
            held,
            [(Kind::Silent, "tver"), (Kind::Certificate, "gost"), (Kind::Certificate, "over")]
        );
        let heard = seen.holds[&(Kind::Silent, "tver".to_owned())];
        assert_eq!(heard, Some(NOW - time::Duration::seconds(3601)));
    }

    #[test]
    fn what_every_replica_counts_is_counted_once() {
        let text = "marking_codes{status=\"in_stock\"} 12\nreceipts_overdue 3\nother 5\n";
        let seen = said(&[text, text]);
        let counts: Vec<(&str, &str, u64)> = seen
            .counts
            .iter()
            .map(|((name, label), count)| (*name, label.as_str(), *count))
            .collect();
        assert_eq!(counts, [("marking_codes", "in_stock", 12), ("receipts_overdue", "", 3)]);
    }
}
