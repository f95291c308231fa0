//! Breaches of a vendor's protocol: all counted, the first ones kept.

use serde::Serialize;

/// More than this many are only counted.
const KEPT: usize = 500;

/// A list of breaches that cannot grow without bound.
#[derive(Debug, Clone, Default, Serialize)]
pub struct Violations {
    /// How many breaches of the protocol there were.
    pub violation_count: usize,
    /// The first 500 of them.
    pub violations: Vec<String>,
}

impl Violations {
    pub(crate) fn add(&mut self, what: String) {
        self.violation_count += 1;
        if self.violations.len() < KEPT {
            self.violations.push(what);
        }
    }
}
