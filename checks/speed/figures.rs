//! Figures computed from measurements.

use std::time::Duration;

/// Sorted times.
#[derive(Clone, Debug, Default)]
pub(crate) struct Latencies(Vec<Duration>);

impl FromIterator<Duration> for Latencies {
    fn from_iter<I: IntoIterator<Item = Duration>>(times: I) -> Self {
        let mut times: Vec<_> = times.into_iter().collect();
        times.sort_unstable();
        Self(times)
    }
}

impl Latencies {
    pub(crate) fn count(&self) -> usize {
        self.0.len()
    }

    /// In milliseconds; 0 if there are none.
    pub(crate) fn percentile(&self, percent: usize) -> f64 {
        let last = self.0.len().saturating_sub(1);
        let index = (self.0.len() * percent / 100).min(last);
        self.0.get(index).map_or(0.0, |time| time.as_secs_f64() * 1e3)
    }

    pub(crate) fn p50_p99(&self) -> [f64; 2] {
        [50, 99].map(|percent| self.percentile(percent))
    }

    /// A percentile for tables.
    pub(crate) fn text(&self, percent: usize) -> String {
        milliseconds(self.percentile(percent))
    }
}

/// A promise about a figure.
#[derive(Clone, Debug)]
pub(crate) struct Bar {
    pub(crate) name: String,
    pub(crate) value: f64,
    pub(crate) limit: Limit,
    pub(crate) unit: &'static str,
}

#[derive(Clone, Copy, Debug)]
pub(crate) enum Limit {
    AtLeast(f64),
    AtMost(f64),
}

impl Bar {
    pub(crate) fn is_met(&self) -> bool {
        match self.limit {
            Limit::AtLeast(limit) => self.value >= limit,
            Limit::AtMost(limit) => self.value <= limit,
        }
    }

    /// `ok` or `below`, for tables.
    pub(crate) fn verdict(&self) -> &'static str {
        if self.is_met() { "ok" } else { "below" }
    }
}

/// Events per second.
pub(crate) fn per_second(count: usize, time: Duration) -> f64 {
    f64::from(u32::try_from(count).unwrap_or(u32::MAX)) / time.as_secs_f64()
}

/// Milliseconds for tables.
pub(crate) fn milliseconds(value: f64) -> String {
    format!("{value:.2} ms")
}

/// A number with separators of thousands, as in 19,548.
pub(crate) fn thousands(value: f64) -> String {
    let digits = format!("{value:.0}");
    let mut text = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}
