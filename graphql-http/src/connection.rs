//! Lists as Relay connections with keyset pagination: a page costs the same wherever it lies.

mod cursor;

use async_graphql::{
    Object, OutputType, Result,
    connection::{
        Connection as RelayConnection, DefaultConnectionName, DefaultEdgeName, DisableNodesField, Edge, EmptyFields,
        OpaqueCursor,
    },
};
use chrono::{DateTime, Utc};
use futures_util::future::BoxFuture;
use uuid::Uuid;

use crate::refusal::bad_user_input;
pub use cursor::Position;

/// Rows of a page by default.
pub(crate) const DEFAULT_SIZE: i32 = 20;
/// Rows of a page at most.
pub(crate) const MAX_SIZE: i32 = 100;

/// A list of `T` with opaque cursors.
pub type Connection<T> = RelayConnection<
    OpaqueCursor<Position>,
    T,
    Total,
    EmptyFields,
    DefaultConnectionName,
    DefaultEdgeName,
    DisableNodesField,
>;

/// Counts a list when the client selects its total.
#[expect(missing_debug_implementations, reason = "functions have none")]
pub struct Total(Box<dyn Fn() -> BoxFuture<'static, Result<i64>> + Send + Sync>);

#[Object]
impl Total {
    /// The number of items on all pages together.
    async fn total_count(&self) -> Option<Result<i64>> {
        Some((self.0)().await)
    }
}

impl Total {
    /// A total that `count` reads.
    pub fn new(count: impl Fn() -> BoxFuture<'static, Result<i64>> + Send + Sync + 'static) -> Self {
        Self(Box::new(count))
    }
}

/// A list in one order. Its cursors fit no other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct List {
    /// The field of the list.
    pub field: &'static str,
    /// The time that rows are ordered by, as clients name it. Rows of one time are in the order of their ids.
    pub ordered_by: &'static str,
    /// Whether the newest rows come first.
    pub descending: bool,
}

/// The place of a row in a list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Key {
    /// The time that the list is ordered by, to the microsecond.
    pub time: DateTime<Utc>,
    /// The id, for rows of one time.
    pub id: Uuid,
}

/// A page of a list, by the arguments of Relay's cursor connections.
#[derive(Debug)]
pub struct Page {
    /// The list and its order.
    pub list: List,
    size: u64,
    /// Whether the page is the last one of the range, as `last` asks for.
    pub backward: bool,
    /// The key that all rows follow.
    pub after: Option<Key>,
    /// The key that all rows precede.
    pub before: Option<Key>,
}

impl Page {
    /// Reads the arguments of a list: `first` or `last` from 1 to 100, by default the first 20.
    ///
    /// # Errors
    /// When both are given, one is out of range, or a cursor is of another list or another order.
    pub fn new(
        of: List,
        first: Option<i32>,
        after: Option<String>,
        last: Option<i32>,
        before: Option<String>,
    ) -> Result<Self> {
        let (name, size, backward) = match (first, last) {
            (Some(_), Some(_)) => return Err(bad_user_input("first, last: give one of them")),
            (None, Some(last)) => ("last", last, true),
            (first, None) => ("first", first.unwrap_or(DEFAULT_SIZE), false),
        };
        if !(1..=MAX_SIZE).contains(&size) {
            return Err(bad_user_input(format!("{name}: must be 1 to {MAX_SIZE}")));
        }
        let key = |argument, text: Option<String>| text.map(|text| cursor::read(of, argument, &text)).transpose();
        let (after, before) = (key("after", after)?, key("before", before)?);
        Ok(Self { list: of, size: u64::from(size.unsigned_abs()), backward, after, before })
    }

    /// Rows to load: one more than the page has tells whether there is another page.
    #[must_use]
    pub fn limit(&self) -> u64 {
        self.size + 1
    }

    /// Makes the connection of up to [`Page::limit`] rows in the order of the list.
    pub fn connection<R, T>(self, mut rows: Vec<R>, total: Total, key: impl Fn(&R) -> Key) -> Connection<T>
    where
        T: OutputType + From<R>,
    {
        let more = rows.len() as u64 > self.size;
        if more {
            rows.remove(if self.backward { 0 } else { rows.len() - 1 });
        }
        let (has_previous, has_next) =
            if self.backward { (more, self.before.is_some()) } else { (self.after.is_some(), more) };
        let mut connection = Connection::with_additional_fields(has_previous, has_next, total);
        let edge = |row| Edge::new(OpaqueCursor(Position::new(self.list, key(&row))), T::from(row));
        connection.edges.extend(rows.into_iter().map(edge));
        connection
    }
}
