//! What clients may take of a process: connections, time, and memory of answers that they do not read.

use std::{ops::RangeInclusive, time::Duration};

use rustix::process::{Resource, getrlimit};

/// A service with fewer connections would refuse its own health checks; one with more would run out of memory.
const CONNECTIONS: RangeInclusive<usize> = 16..=100_000;
/// Default of [`Limits::connections`]: idle HTTP/2 connections, which take 27 KiB each, take less than an eighth of the
/// 256 MiB that a container has.
const DEFAULT_CONNECTIONS: usize = 768;
/// Descriptors that are left to databases, files and outgoing connections.
const RESERVED_DESCRIPTORS: usize = 128;

/// Limits of a server's connections.
#[derive(Clone, Debug)]
pub struct Limits {
    /// Connections at once. Beyond it the oldest idle one is closed.
    pub connections: usize,
    /// From connecting to the first request; for the head of each request by HTTP/1, which is also how long such a
    /// connection may be idle.
    pub head: Duration,
    /// How long an HTTP/2 connection may be idle.
    pub idle: Duration,
    /// After this time a connection takes no new requests, so that clients spread over new replicas.
    pub age: Duration,
    /// How long a part of an answer may wait for a client that does not read it.
    pub write: Duration,
    /// Bytes of unread answers in the whole process. Beyond, clients that do not read are not waited for.
    pub unread_answers: usize,
    /// Bytes of answers that the kernel may hold per connection; Linux doubles it.
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
    /// The defaults, with this many connections if a number is given.
    #[must_use]
    pub fn with_connections(connections: Option<usize>) -> Self {
        let default = Self::default();
        Self { connections: connections.unwrap_or(default.connections), ..default }
    }

    /// Descriptors that are missing for as many connections, if any are.
    pub(crate) fn missing_descriptors(&self) -> Option<usize> {
        (self.connections + RESERVED_DESCRIPTORS).checked_sub(descriptors()).filter(|missing| *missing > 0)
    }

    /// How often connections are compared with the limits.
    pub(super) fn check_interval(&self) -> Duration {
        const SHORTEST_PART: u32 = 4;
        let shortest = self.head.min(self.idle).min(self.age).min(self.write);
        (shortest / SHORTEST_PART).min(Duration::from_secs(1))
    }
}

/// Reads how many connections clients may have.
///
/// # Errors
/// When it is no number, or out of range.
pub fn max_connections(text: &str) -> Result<usize, String> {
    let number = text.parse().ok().filter(|number| CONNECTIONS.contains(number));
    number.ok_or_else(|| format!("want {} to {}", CONNECTIONS.start(), CONNECTIONS.end()))
}

/// Half of what is not reserved: all-in-one has two servers in one process.
fn default_connections(descriptors: usize) -> usize {
    let available = descriptors.saturating_sub(RESERVED_DESCRIPTORS) / 2;
    available.clamp(*CONNECTIONS.start(), DEFAULT_CONNECTIONS)
}

/// The descriptors that this process may open.
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
