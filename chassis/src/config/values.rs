//! Parsers of single settings. An error tells the expected format and range; clap adds the flag and the value.

#![expect(clippy::missing_errors_doc, reason = "each fails for a value of another format or out of range")]

use std::{net::SocketAddr, ops::RangeInclusive, str::FromStr, time::Duration};

/// Fewest database connections: with one, a service's background tasks would wait for each other.
const MIN_CONNECTIONS: usize = 2;
/// Most database connections: no PostgreSQL server allows more.
const MAX_CONNECTIONS: usize = 1_000;
/// Below it, network latency would count as a difference. Above it, ids would not tell when their rows were written.
const CLOCK_DIFFERENCE_RANGE: RangeInclusive<Duration> = Duration::from_millis(100)..=Duration::from_mins(1);

/// Parses an address to listen on. Host names are refused, since one may have several addresses.
pub fn address(text: &str) -> Result<SocketAddr, String> {
    text.parse().map_err(|_| {
        "want an IP address and a port, as in 127.0.0.1:8010 for this machine alone or 0.0.0.0:8010 for all".to_owned()
    })
}

/// The address of the metrics, if they are served.
#[derive(Clone, Copy, Debug)]
pub struct MetricsBind(pub Option<SocketAddr>);

impl FromStr for MetricsBind {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let none = || "want an IP address and a port, as in 127.0.0.1:9010, or none".to_owned();
        if text == "none" { Ok(Self(None)) } else { text.parse().map(|bind| Self(Some(bind))).map_err(|_| none()) }
    }
}

/// Parses a user name: not empty, and without a colon, which ends the name in HTTP Basic.
pub fn username(text: &str) -> Result<String, String> {
    if text.is_empty() || text.contains(':') {
        return Err("want a name without a colon, which HTTP Basic has between name and password".to_owned());
    }
    Ok(text.to_owned())
}

/// Parses a number of database connections, 2 to 1000.
pub fn connections(text: &str) -> Result<usize, String> {
    let range = MIN_CONNECTIONS..=MAX_CONNECTIONS;
    text.parse()
        .ok()
        .filter(|number| range.contains(number))
        .ok_or(format!("want {MIN_CONNECTIONS} to {MAX_CONNECTIONS}"))
}

/// Parses the largest clock difference, 100 ms to 1 min.
pub fn clock_difference(text: &str) -> Result<Duration, String> {
    let difference = humantime::parse_duration(text).map_err(|error| error.to_string())?;
    if CLOCK_DIFFERENCE_RANGE.contains(&difference) { Ok(difference) } else { Err("want 100ms to 1m".to_owned()) }
}
