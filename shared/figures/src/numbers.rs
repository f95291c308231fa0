//! What becomes of a row of measurements. Pure.

use std::time::Duration;

/// The value in the middle; of an even number, the mean of the two there. 0 of none.
pub(crate) fn median(values: impl IntoIterator<Item = f64>) -> f64 {
    let mut values: Vec<f64> = values.into_iter().collect();
    values.sort_by(f64::total_cmp);
    let upper = values.get(values.len() / 2).copied().unwrap_or_default();
    let lower = values.get(values.len().saturating_sub(1) / 2).copied().unwrap_or_default();
    f64::midpoint(lower, upper)
}

/// The nearest-rank percentile of latencies in rising order; zero of none.
pub(crate) fn percentile(sorted: &[Duration], percent: usize) -> Duration {
    let rank = (sorted.len() * percent).div_ceil(100);
    sorted.get(rank.saturating_sub(1)).copied().unwrap_or_default()
}

/// So many in such a time, per second.
pub(crate) fn rate(count: u64, took: Duration) -> f64 {
    float(count) / took.as_secs_f64()
}

/// A count as a float, exact up to 4 billion; nothing here counts further.
pub(crate) fn float(count: u64) -> f64 {
    u32::try_from(count).map_or(f64::INFINITY, f64::from)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_median_is_the_middle() {
        for (values, expected) in [
            (vec![], 0.0),
            (vec![5.0], 5.0),
            (vec![9.0, 1.0, 5.0], 5.0),
            (vec![4.0, 1.0, 2.0, 3.0], 2.5),
        ] {
            assert!((median(values.clone()) - expected).abs() < f64::EPSILON, "{values:?}");
        }
    }

    #[test]
    fn a_percentile_is_a_value_that_was_measured() {
        let sorted: Vec<Duration> = (1..=200).map(Duration::from_millis).collect();
        for (percent, expected) in [(50, 100), (99, 198), (100, 200), (0, 1)] {
            assert_eq!(percentile(&sorted, percent), Duration::from_millis(expected));
        }
        assert_eq!(percentile(&[], 99), Duration::ZERO);
    }
}
