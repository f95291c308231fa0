//! What a service's `/metrics` say, read without I/O.
//!
//! Source: Prometheus, "Exposition formats", text format 0.0.4.

use std::collections::BTreeMap;

/// One line: a metric's value under its labels.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Sample<'a> {
    pub name: &'a str,
    pub labels: BTreeMap<&'a str, String>,
    pub value: f64,
}

impl Sample<'_> {
    /// The value of a label; empty when there is none.
    pub(crate) fn label(&self, name: &str) -> &str {
        self.labels.get(name).map_or("", String::as_str)
    }
}

/// All lines that can be read; comments and what cannot be read are left out.
pub(crate) fn samples(text: &str) -> impl Iterator<Item = Sample<'_>> {
    text.lines().filter(|line| !line.starts_with('#')).filter_map(sample)
}

fn sample(line: &str) -> Option<Sample<'_>> {
    let end = line.find(|c: char| !(c.is_ascii_alphanumeric() || c == '_' || c == ':'))?;
    let (name, rest) = line.split_at_checked(end).filter(|(name, _)| !name.is_empty())?;
    let (labels, rest) = match rest.strip_prefix('{') {
        Some(rest) => labels(rest)?,
        None => (BTreeMap::new(), rest),
    };
    // A time may follow the value.
    let value = rest.split_whitespace().next()?.parse().ok()?;
    Some(Sample { name, labels, value })
}

/// The labels up to the closing brace, and what follows it.
fn labels(mut rest: &str) -> Option<(BTreeMap<&str, String>, &str)> {
    let mut labels = BTreeMap::new();
    loop {
        rest = rest.trim_start_matches([',', ' ']);
        if let Some(rest) = rest.strip_prefix('}') {
            return Some((labels, rest));
        }
        let (name, value) = rest.split_once("=\"")?;
        let (value, after) = quoted(value)?;
        labels.insert(name.trim(), value);
        rest = after;
    }
}

/// The text up to the closing quote without its escapes, and what follows it.
fn quoted(text: &str) -> Option<(String, &str)> {
    let mut value = String::new();
    let mut letters = text.chars();
    loop {
        match letters.next()? {
            '"' => return Some((value, letters.as_str())),
            '\\' => match letters.next()? {
                'n' => value.push('\n'),
                letter => value.push(letter),
            },
            letter => value.push(letter),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Sample, samples};
    use std::collections::BTreeMap;

    #[test]
    fn lines_are_read_and_what_is_none_is_left_out() {
        let text = "# HELP breaker_open 1 while\n# TYPE breaker_open gauge\nbreaker_open 1\n\
            silent{store=\"Ле\\\"с}, 1\",x=\"a\\\\b\\nc\"} 3600.5 1700000000\n\
            steps{worker=\"a\"} +Inf\nodd{store=\"x\nno value\n{} 1\nx NaN\n";
        let read: Vec<Sample<'_>> = samples(text).collect();
        let silent =
            BTreeMap::from([("store", "Ле\"с}, 1".to_owned()), ("x", "a\\b\nc".to_owned())]);
        assert_eq!(read[0], Sample { name: "breaker_open", labels: BTreeMap::new(), value: 1.0 });
        assert_eq!(read[1], Sample { name: "silent", labels: silent, value: 3600.5 });
        assert_eq!((read[2].label("worker"), read[2].value), ("a", f64::INFINITY));
        assert_eq!(read.len(), 4, "{read:?}");
        assert!(read[3].value.is_nan());
    }
}
