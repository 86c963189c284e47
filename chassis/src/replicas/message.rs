//! A message between replicas, as the payload of a NOTIFY: words separated by blanks.
//!
//! ```text
//! PROCESS HEADER ID ID ...       these rows have changed; unknown ones without an id
//! PROCESS HEADER                 a heartbeat or a goodbye, by the header
//! PROCESS HEADER too-many        unlisted rows have changed
//! ```
//!
//! PROCESS is a random id. HEADER is an id too, `00000000-0000-000K-0000-00000000000N`: kind and number of the message.
//! Earlier versions take it for the id of a row that does not exist, and send messages without it. So both versions
//! understand each other during an upgrade.

use uuid::Uuid;

/// Ids in one message: a payload holds less than 8,000 bytes, an id takes 37.
pub(super) const MAX_IDS: usize = 200;
/// In place of ids.
const TOO_MANY: &str = "too-many";

const CHANGED: u64 = 0;
const HEARTBEAT: u64 = 1;
const GOODBYE: u64 = 2;

/// A message with its sender.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Message {
    pub(super) process: Uuid,
    /// Consecutive per sender; `None` from a version without numbers.
    pub(super) number: Option<u64>,
    pub(super) content: Content,
}

/// Content of a message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Content {
    /// These rows have changed; unknown ones if the list is empty.
    Changed(Vec<Uuid>),
    /// Unlisted rows have changed.
    Missed,
    /// The sender is alive.
    Heartbeat,
    /// The sender has sent everything, and ends.
    Goodbye,
}

impl Message {
    /// The payload.
    pub(super) fn encode(&self) -> String {
        let kind = match self.content {
            Content::Changed(_) | Content::Missed => CHANGED,
            Content::Heartbeat => HEARTBEAT,
            Content::Goodbye => GOODBYE,
        };
        let mut words = vec![self.process.to_string()];
        words.extend(self.number.map(|number| Uuid::from_u64_pair(kind, number).to_string()));
        match &self.content {
            Content::Changed(ids) => words.extend(ids.iter().map(Uuid::to_string)),
            Content::Missed => words.push(TOO_MANY.to_owned()),
            Content::Heartbeat | Content::Goodbye => {}
        }
        words.join(" ")
    }

    /// Parses a payload. Unknown content, as of a later version, is [`Content::Missed`]. A payload without a sender is
    /// `None`.
    pub(super) fn decode(payload: &str) -> Option<Self> {
        let mut words = payload.split(' ');
        let process = words.next()?.parse().ok()?;
        let ids: Result<Vec<Uuid>, _> = words.clone().map(str::parse).collect();
        let header = words.next().and_then(|word| word.parse().ok()).and_then(header);
        let number = header.map(|(_, number)| number);
        let content = match (header, ids) {
            (_, Err(_)) => Content::Missed,
            (Some((HEARTBEAT, _)), _) => Content::Heartbeat,
            (Some((GOODBYE, _)), _) => Content::Goodbye,
            (Some(_), Ok(ids)) => Content::Changed(ids[1..].to_vec()),
            (None, Ok(ids)) => Content::Changed(ids),
        };
        Some(Self { process, number, content })
    }
}

/// Kind and number in a header. Ids of rows begin with a time, so none looks like one.
fn header(word: Uuid) -> Option<(u64, u64)> {
    let (kind, number) = word.as_u64_pair();
    (kind <= GOODBYE).then_some((kind, number))
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    const SENDER: Uuid = Uuid::from_u128(0x67e5_5044_10b1_426f_9247_bb68_0e5f_e0c8);

    #[rstest]
    #[case(Content::Changed(Vec::new()))]
    #[case(Content::Changed(vec![SENDER; MAX_IDS]))]
    #[case(Content::Missed)]
    #[case(Content::Heartbeat)]
    #[case(Content::Goodbye)]
    fn a_message_survives_its_encoding_and_fits_a_notification(#[case] content: Content) {
        let message = Message { process: SENDER, number: Some(u64::MAX), content };
        assert!(message.encode().len() < 8_000);
        assert_eq!(Message::decode(&message.encode()), Some(message));
    }

    #[test]
    fn versions_without_numbers_are_compatible() {
        let without = |content| Message { process: SENDER, number: None, content };
        assert_eq!(Message::decode(&SENDER.to_string()), Some(without(Content::Changed(Vec::new()))));
        let ids = Content::Changed(vec![SENDER]);
        assert_eq!(Message::decode(&format!("{SENDER} {SENDER}")), Some(without(ids)));
        assert_eq!(Message::decode(&format!("{SENDER} too-many")), Some(without(Content::Missed)));
        // They parse every word after the sender as an id.
        for content in [Content::Changed(vec![SENDER]), Content::Heartbeat, Content::Goodbye] {
            let payload = Message { process: SENDER, number: Some(7), content }.encode();
            assert!(payload.split(' ').all(|word| word.parse::<Uuid>().is_ok()), "{payload}");
        }
    }

    #[rstest]
    #[case("", None)]
    #[case("nonsense", None)]
    #[case("67e55044-10b1-426f-9247-bb680e5fe0c8 nonsense", Some(Content::Missed))]
    #[case("67e55044-10b1-426f-9247-bb680e5fe0c8  ", Some(Content::Missed))]
    fn unknown_content_counts_as_missed(#[case] payload: &str, #[case] content: Option<Content>) {
        assert_eq!(Message::decode(payload).map(|message| message.content), content);
    }
}
