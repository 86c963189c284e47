//! What one replica tells the others, as the payload of a NOTIFY: words between blanks.
//!
//! ```text
//! PROCESS HEADER ID ID ...       these rows have changed; something has, if there is no id
//! PROCESS HEADER                 a beat or a good-bye, as the header says
//! PROCESS HEADER too-many        rows have changed that are not told
//! ```
//!
//! PROCESS is a random id. HEADER is an id too, `00000000-0000-000K-0000-00000000000N`: the kind of the message and its
//! number. Versions before it take it for the id of a row that does not exist, and send messages without one: so both
//! understand each other while one replaces the other.

use uuid::Uuid;

/// Ids in one message: a payload holds less than 8,000 bytes, an id takes 37.
pub(super) const MAX_IDS: usize = 200;
/// In place of ids.
const TOO_MANY: &str = "too-many";

const CHANGED: u64 = 0;
const BEAT: u64 = 1;
const GOODBYE: u64 = 2;

/// A message with its sender.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Message {
    pub(super) process: Uuid,
    /// One more than that of the sender's message before; nothing from a version that does not number.
    pub(super) number: Option<u64>,
    pub(super) content: Content,
}

/// What is told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Content {
    /// These rows, or something if there are none.
    Changed(Vec<Uuid>),
    /// Rows that are not told.
    Missed,
    /// Nothing: the sender lives.
    Beat,
    /// The sender has told everything, and ends.
    Goodbye,
}

impl Message {
    /// The payload.
    pub(super) fn encode(&self) -> String {
        let kind = match self.content {
            Content::Changed(_) | Content::Missed => CHANGED,
            Content::Beat => BEAT,
            Content::Goodbye => GOODBYE,
        };
        let mut words = vec![self.process.to_string()];
        words.extend(self.number.map(|number| Uuid::from_u64_pair(kind, number).to_string()));
        match &self.content {
            Content::Changed(ids) => words.extend(ids.iter().map(Uuid::to_string)),
            Content::Missed => words.push(TOO_MANY.to_owned()),
            Content::Beat | Content::Goodbye => {}
        }
        words.join(" ")
    }

    /// Reads a payload. What cannot be understood, as from a later version, is [`Content::Missed`]; without a sender
    /// it is nobody's.
    pub(super) fn decode(payload: &str) -> Option<Self> {
        let mut words = payload.split(' ');
        let process = words.next()?.parse().ok()?;
        let ids: Result<Vec<Uuid>, _> = words.clone().map(str::parse).collect();
        let header = words.next().and_then(|word| word.parse().ok()).and_then(header);
        let number = header.map(|(_, number)| number);
        let content = match (header, ids) {
            (_, Err(_)) => Content::Missed,
            (Some((BEAT, _)), _) => Content::Beat,
            (Some((GOODBYE, _)), _) => Content::Goodbye,
            (Some(_), Ok(ids)) => Content::Changed(ids[1..].to_vec()),
            (None, Ok(ids)) => Content::Changed(ids),
        };
        Some(Self { process, number, content })
    }
}

/// The kind and the number in a header. Ids of rows begin with a time: none looks like one.
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
    #[case(Content::Beat)]
    #[case(Content::Goodbye)]
    fn a_message_is_read_as_it_was_written_and_fits_a_notification(#[case] content: Content) {
        let message = Message { process: SENDER, number: Some(u64::MAX), content };
        assert!(message.encode().len() < 8_000);
        assert_eq!(Message::decode(&message.encode()), Some(message));
    }

    #[test]
    fn versions_before_the_numbers_are_understood_and_understand() {
        let without = |content| Message { process: SENDER, number: None, content };
        assert_eq!(Message::decode(&SENDER.to_string()), Some(without(Content::Changed(Vec::new()))));
        let ids = Content::Changed(vec![SENDER]);
        assert_eq!(Message::decode(&format!("{SENDER} {SENDER}")), Some(without(ids)));
        assert_eq!(Message::decode(&format!("{SENDER} too-many")), Some(without(Content::Missed)));
        // They read every word behind the sender as an id.
        for content in [Content::Changed(vec![SENDER]), Content::Beat, Content::Goodbye] {
            let payload = Message { process: SENDER, number: Some(7), content }.encode();
            assert!(payload.split(' ').all(|word| word.parse::<Uuid>().is_ok()), "{payload}");
        }
    }

    #[rstest]
    #[case("", None)]
    #[case("nonsense", None)]
    #[case("67e55044-10b1-426f-9247-bb680e5fe0c8 nonsense", Some(Content::Missed))]
    #[case("67e55044-10b1-426f-9247-bb680e5fe0c8  ", Some(Content::Missed))]
    fn what_cannot_be_understood_may_have_been_a_change(#[case] payload: &str, #[case] content: Option<Content>) {
        assert_eq!(Message::decode(payload).map(|message| message.content), content);
    }
}
