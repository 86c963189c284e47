//! Responses as JSON texts of bounded length.

use std::io;

use serde::Serialize;

/// Bytes of a response: some hundred times a page. A client that does not read its response keeps that much in memory.
pub(crate) const MAX_RESPONSE: usize = 1024 * 1024;
/// Initial capacity. Most responses are longer: the buffer grows a few times anyway.
const CAPACITY: usize = 256;

/// Returns the text, or `None` if it is longer than [`MAX_RESPONSE`].
pub(crate) fn bounded(response: &impl Serialize) -> Option<String> {
    let mut bounded = Bounded(Vec::with_capacity(CAPACITY));
    // Names and values of GraphQL are JSON: there is no other reason to fail.
    serde_json::to_writer(&mut bounded, response).ok()?;
    String::from_utf8(bounded.0).ok()
}

struct Bounded(Vec<u8>);

impl io::Write for Bounded {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.write_all(bytes).map(|()| bytes.len())
    }

    fn write_all(&mut self, bytes: &[u8]) -> io::Result<()> {
        if self.0.len() + bytes.len() > MAX_RESPONSE {
            return Err(io::ErrorKind::FileTooLarge.into());
        }
        self.0.extend_from_slice(bytes);
        Ok(())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_of_the_limit_is_written_and_a_longer_one_is_not() {
        let text = |length: usize| "x".repeat(length - 2);
        assert_eq!(bounded(&text(MAX_RESPONSE)).map(|json| json.len()), Some(MAX_RESPONSE));
        assert_eq!(bounded(&text(MAX_RESPONSE + 1)), None);
    }
}
