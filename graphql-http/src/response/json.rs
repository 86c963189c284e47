//! Answers as JSON texts of bounded length.

use std::io;

use serde::Serialize;

/// Some hundred times what a page of clients takes. A client that does not read what it asked for holds that much.
pub(in crate::graphql) const MAX_ANSWER: usize = 1024 * 1024;
/// Most answers are longer: their memory grows a few times anyway.
const ROOM: usize = 256;

/// The text, or `None` as soon as it is longer than [`MAX_ANSWER`].
pub(in crate::graphql) fn bounded(answer: &impl Serialize) -> Option<String> {
    let mut bounded = Bounded(Vec::with_capacity(ROOM));
    // Names and values of GraphQL are JSON: there is no other reason to fail.
    serde_json::to_writer(&mut bounded, answer).ok()?;
    String::from_utf8(bounded.0).ok()
}

struct Bounded(Vec<u8>);

impl io::Write for Bounded {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.write_all(bytes).map(|()| bytes.len())
    }

    fn write_all(&mut self, bytes: &[u8]) -> io::Result<()> {
        if self.0.len() + bytes.len() > MAX_ANSWER {
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
    fn a_text_of_the_limit_is_written_and_a_longer_one_is_given_up() {
        let text = |length: usize| "x".repeat(length - 2);
        assert_eq!(bounded(&text(MAX_ANSWER)).map(|json| json.len()), Some(MAX_ANSWER));
        assert_eq!(bounded(&text(MAX_ANSWER + 1)), None);
    }
}
