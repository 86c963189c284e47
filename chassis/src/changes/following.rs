//! Following a list: the changed rows in batches, and an end after a gap.

use std::collections::HashSet;

use async_graphql::{Error, Result, futures_util::Stream};
use futures_util::{StreamExt, stream};
use graphql_http::refusal::Refusal;
use uuid::Uuid;

use super::{Change, Changes};

/// Rows that are read in one statement, if as many have changed since the last one.
const MAX_READ: usize = 100;

impl Changes {
    /// Sends the rows that `read` returns for changed ones, of which it receives up to 100 ids, each once. Ends with the
    /// error `EVENTS_MISSED` and the message `missed` after a gap, and with the error of a failed read.
    pub fn follow<T, R>(
        &self,
        missed: &'static str,
        read: impl Fn(Vec<Uuid>) -> R + Send,
    ) -> impl Stream<Item = Result<T>> + Send
    where
        T: Send,
        R: Future<Output = Result<Vec<T>>> + Send,
    {
        let batches = self.subscribe().ready_chunks(MAX_READ);
        let events = stream::unfold(Some((batches, read)), async move |following| {
            let (mut batches, read) = following?;
            let (ids, has_gap) = rows(&batches.next().await?);
            let rows = if ids.is_empty() { Ok(Vec::new()) } else { read(ids).await };
            let (rows, end) = match rows {
                Ok(rows) if has_gap => (rows, Some(events_missed(missed))),
                Ok(rows) => (rows, None),
                Err(fault) => (Vec::new(), Some(fault)),
            };
            let goes_on = end.is_none().then_some((batches, read));
            Some((stream::iter(rows.into_iter().map(Ok).chain(end.map(Err))), goes_on))
        });
        events.flatten()
    }
}

fn events_missed(message: &str) -> Error {
    Refusal { message: message.to_owned(), code: "EVENTS_MISSED" }.into()
}

/// Returns the rows that changed before a gap, each once, and whether there is one.
fn rows(changes: &[Change]) -> (Vec<Uuid>, bool) {
    let (mut ids, mut known) = (Vec::with_capacity(changes.len()), HashSet::with_capacity(changes.len()));
    for change in changes {
        match change {
            Change::Of(id) if known.insert(*id) => ids.push(*id),
            Change::Of(_) => {}
            Change::Missed => return (ids, true),
        }
    }
    (ids, false)
}

#[cfg(test)]
mod tests {
    use super::{super::CAPACITY, *};

    const ONE: Uuid = Uuid::from_u128(1);
    const OTHER: Uuid = Uuid::from_u128(2);

    #[test]
    fn rows_after_a_gap_are_not_read_and_those_before_once() {
        let of = Change::Of;
        assert_eq!(rows(&[of(ONE), of(OTHER), of(ONE)]), (vec![ONE, OTHER], false));
        assert_eq!(rows(&[of(OTHER), Change::Missed, of(ONE)]), (vec![OTHER], true));
        assert_eq!(rows(&[Change::Missed]), (vec![], true));
    }

    #[tokio::test]
    async fn who_lags_behind_is_told_before_what_is_left() {
        let (changes, _channel) = Changes::new("rows");
        let slow = changes.follow("missed", async |ids| Ok(ids));
        for _ in 0..=CAPACITY {
            changes.publish(&[ONE]);
        }
        let events: Vec<_> = slow.collect().await;
        assert!(matches!(&events[..], [Err(missed)] if missed.message == "missed"), "{events:?}");
    }

    #[tokio::test]
    async fn a_gap_or_a_failed_read_ends_the_events() {
        let (changes, _channel) = Changes::new("rows");
        let gap = changes.follow("missed", async |ids| Ok(ids));
        let failed = changes.follow::<Uuid, _>("missed", async |_| Err("no database".into()));
        changes.publish(&[ONE, OTHER]);
        changes.publish_missed();
        changes.publish(&[ONE]);
        let told = |events: Vec<Result<Uuid>>| -> Vec<_> {
            events.into_iter().map(|event| event.map_err(|error| error.message)).collect()
        };
        assert_eq!(told(gap.collect().await), [Ok(ONE), Ok(OTHER), Err("missed".to_owned())]);
        assert_eq!(told(failed.collect().await), [Err("no database".to_owned())]);
    }
}
