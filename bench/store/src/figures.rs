//! Medians and percentiles. Must stay true: a percentile is a value that was measured.

use std::time::Duration;

pub use flin_testkit::figures::{head, row};

/// How long each commit took.
#[derive(Clone, Debug, Default)]
pub struct Latencies(Vec<Duration>);

impl Latencies {
    /// Adds one.
    pub fn add(&mut self, latency: Duration) {
        self.0.push(latency);
    }

    /// Adds those of another round.
    pub fn append(&mut self, mut other: Latencies) {
        self.0.append(&mut other.0);
    }

    /// How many there are.
    pub fn count(&self) -> usize {
        self.0.len()
    }

    /// Half, 99 % and all of them took at most so long, in microseconds.
    pub fn percentiles(&mut self) -> [u64; 3] {
        self.0.sort_unstable();
        let last = self.0.len().saturating_sub(1);
        let at = |share: f64| {
            let found = self.0.get((last as f64 * share).round() as usize);
            found.map_or(0, |latency| latency.as_micros() as u64)
        };
        [at(0.5), at(0.99), at(1.0)]
    }
}

/// The middle one; NaN of none.
pub fn median(values: &[f64]) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_unstable_by(f64::total_cmp);
    sorted.get(sorted.len() / 2).copied().unwrap_or(f64::NAN)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_are_measured_values() {
        let mut all = Latencies::default();
        for us in (1..=100).rev() {
            all.add(Duration::from_micros(us));
        }
        assert_eq!(all.percentiles(), [51, 99, 100]);
        assert_eq!(Latencies::default().percentiles(), [0, 0, 0]);
        assert_eq!(median(&[3.0, 1.0, 2.0]), 2.0);
    }
}
