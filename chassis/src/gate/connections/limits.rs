//! Limits on clients: connections, time, and memory for responses that they do not read.

use std::{ops::RangeInclusive, time::Duration};

use rustix::process::{Resource, getrlimit};

/// With fewer a service would refuse its own health checks; with more it would run out of memory.
const CONNECTION_RANGE: RangeInclusive<usize> = 16..=100_000;
/// Default of [`Limits::connections`]. Idle HTTP/2 connections, at 27 KiB each, take less than an eighth of a
/// container's 256 MiB.
const DEFAULT_CONNECTIONS: usize = 768;
/// Descriptors reserved for databases, files and outgoing connections.
const RESERVED_DESCRIPTORS: usize = 128;

/// Limits of a server's connections.
#[derive(Clone, Debug)]
pub struct Limits {
    /// Open connections. Beyond it the oldest idle one is closed.
    pub connections: usize,
    /// Time from connecting to the first request, and for each HTTP/1 request head. It is also the idle timeout of
    /// HTTP/1.
    pub head: Duration,
    /// Idle timeout of an HTTP/2 connection.
    pub idle: Duration,
    /// Age at which a connection takes no new requests, so that clients spread over new replicas.
    pub age: Duration,
    /// Longest wait of a response chunk for a client that does not read.
    pub write: Duration,
    /// Unread response bytes in the whole process. Beyond it, clients that do not read are closed.
    pub unread_answers: usize,
    /// Send buffer of the kernel per connection, in bytes; Linux doubles it.
    pub send_buffer: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            connections: default_connections(descriptors()),
            head: Duration::from_secs(10),
            idle: Duration::from_secs(30),
            age: Duration::from_hours(1),
            write: Duration::from_secs(30),
            unread_answers: 16 * 1024 * 1024,
            send_buffer: 256 * 1024,
        }
    }
}

impl Limits {
    /// The defaults, with this number of connections if given.
    #[must_use]
    pub(crate) fn with_connections(connections: Option<usize>) -> Self {
        let default = Self::default();
        Self { connections: connections.unwrap_or(default.connections), ..default }
    }

    /// Number of descriptors missing for the connections, if any.
    pub(crate) fn missing_descriptors(&self) -> Option<usize> {
        (self.connections + RESERVED_DESCRIPTORS).checked_sub(descriptors()).filter(|missing| *missing > 0)
    }

    /// Interval at which connections are checked against the limits.
    pub(super) fn check_interval(&self) -> Duration {
        const SHORTEST_PART: u32 = 4;
        let shortest = self.head.min(self.idle).min(self.age).min(self.write);
        (shortest / SHORTEST_PART).min(Duration::from_secs(1))
    }
}

/// Parses the number of client connections.
///
/// # Errors
/// When it is no number or out of range.
pub fn max_connections(text: &str) -> Result<usize, String> {
    let number = text.parse().ok().filter(|number| CONNECTION_RANGE.contains(number));
    number.ok_or_else(|| format!("want {} to {}", CONNECTION_RANGE.start(), CONNECTION_RANGE.end()))
}

/// Half of the unreserved descriptors: all-in-one runs two servers in one process.
fn default_connections(descriptors: usize) -> usize {
    let available = descriptors.saturating_sub(RESERVED_DESCRIPTORS) / 2;
    available.clamp(*CONNECTION_RANGE.start(), DEFAULT_CONNECTIONS)
}

/// Descriptors that this process may open.
fn descriptors() -> usize {
    getrlimit(Resource::Nofile).current.and_then(|limit| limit.try_into().ok()).unwrap_or(usize::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_default_leaves_descriptors_for_databases_and_files() {
        for (descriptors, connections) in [(0, 16), (256, 64), (1_024, 448), (1_048_576, 768), (usize::MAX, 768)] {
            assert_eq!(default_connections(descriptors), connections);
        }
    }
}
