//! The delay ladder: any delay as a sum of powers of two.
//!
//! Level n holds a message for 2^n rungs and hands it down to level n-1; the routing key says at
//! which levels it stops: twenty words `0` or `1`, the highest level first, then the worker.

use std::time::Duration;

/// The ladder's measures. One system has one ladder: the queues are made with it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Ladder {
    /// How long the lowest level holds a message.
    pub rung: Duration,
    /// How many levels there are: with a rung of one second, twenty hold up to twelve days.
    pub levels: u32,
}

/// How many levels a message stops at, at most. Each is a republish that the broker writes to
/// disk; three give a delay that is at most a quarter too long.
const STOPS: u32 = 3;

/// Where a message with this delay enters the ladder, and its routing key.
pub(super) fn way(delay: Duration, ladder: Ladder, worker: &str) -> (u32, String) {
    let units = few_bits(units(delay, ladder), ladder);
    let level = units.checked_ilog2().unwrap_or(0);
    let mut key = String::with_capacity(64);
    for level in (0..ladder.levels).rev() {
        key.push_str(if units & (1 << level) == 0 { "0." } else { "1." });
    }
    key.push_str(worker);
    (level, key)
}

/// The binding key of the messages that stop at `level` (`stops` is `'1'`) or pass it (`'0'`).
pub(super) fn binding(level: u32, ladder: Ladder, stops: char) -> String {
    let mut key = String::with_capacity(64);
    for _ in level + 1..ladder.levels {
        key.push_str("*.");
    }
    key.push(stops);
    key.push_str(".#");
    key
}

/// Whole rungs, rounded up, at least one, at most what the ladder holds.
fn units(delay: Duration, ladder: Ladder) -> u32 {
    let rungs = delay.as_micros().div_ceil(ladder.rung.as_micros().max(1));
    u32::try_from(rungs).unwrap_or(u32::MAX).clamp(1, (1 << ladder.levels) - 1)
}

/// The least number not below `units` whose set bits all stand within the first three places.
fn few_bits(units: u32, ladder: Ladder) -> u32 {
    let spare = (32 - units.leading_zeros()).saturating_sub(STOPS);
    (units.div_ceil(1 << spare) << spare).min((1 << ladder.levels) - 1)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const LADDER: Ladder = Ladder { rung: Duration::from_secs(1), levels: 20 };

    #[test]
    fn a_delay_of_one_rung_stops_at_the_lowest_level() {
        let (level, key) = way(LADDER.rung, LADDER, "fiscal");
        assert_eq!(level, 0);
        assert_eq!(key, "0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.1.fiscal");
    }

    #[test]
    fn bindings_look_at_the_word_of_their_level() {
        assert_eq!(binding(19, LADDER, '1'), "1.#");
        assert_eq!(binding(17, LADDER, '0'), "*.*.0.#");
    }

    proptest! {
        #[test]
        fn a_delay_is_never_too_short_and_at_most_a_quarter_too_long(millis in 1_u64..1_000_000_000) {
            let units = few_bits(units(Duration::from_millis(millis), LADDER), LADDER);
            prop_assert!(u64::from(units) * 1_000 >= millis || units == (1 << LADDER.levels) - 1);
            prop_assert!(u64::from(units) * 1_000 <= millis + millis / 4 + 1_000);
            prop_assert!(units.count_ones() <= STOPS || units == (1 << LADDER.levels) - 1);
        }
    }
}
