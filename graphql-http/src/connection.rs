//! Lists as Relay connections with keyset pagination: a page costs the same wherever it lies.

use std::{
    borrow::Cow,
    fmt::{self, Display, Formatter},
};

use async_graphql::{
    Object, OutputType, Result,
    connection::{
        Connection as RelayConnection, CursorType, DefaultConnectionName, DefaultEdgeName, DisableNodesField, Edge,
        EmptyFields, OpaqueCursor,
    },
};
use futures_util::future::BoxFuture;
use serde::{Deserialize, Serialize, Serializer};
use uuid::Uuid;

use crate::refusal::bad_user_input;

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

/// A page of a list, by the arguments of Relay's cursor connections.
#[derive(Debug)]
pub struct Page {
    /// The field of the list. Its cursors are refused by others.
    field: &'static str,
    size: u64,
    /// Whether rows come in descending order of their ids.
    pub descending: bool,
    /// Whether the page is the last one of the range, as `last` asks for.
    pub backward: bool,
    /// The id that all rows follow.
    pub after: Option<Uuid>,
    /// The id that all rows precede.
    pub before: Option<Uuid>,
}

impl Page {
    /// Reads the arguments of the list `field`: `first` or `last` from 1 to 100, by default the first 20.
    ///
    /// # Errors
    /// When both are given, one is out of range, or a cursor is of another list.
    pub fn new(
        field: &'static str,
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
        let (after, before) = (id_at(field, "after", after)?, id_at(field, "before", before)?);
        Ok(Self { field, size: u64::from(size.unsigned_abs()), descending: false, backward, after, before })
    }

    /// Rows to load: one more than the page has tells whether there is another page.
    #[must_use]
    pub fn limit(&self) -> u64 {
        self.size + 1
    }

    /// Makes the connection of up to [`Page::limit`] rows in the order of the list. They may be loaded from either end.
    pub fn connection<R, T>(self, mut rows: Vec<R>, total: Total, id: impl Fn(&R) -> Uuid) -> Connection<T>
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
        connection.edges.extend(
            rows.into_iter()
                .map(|row| Edge::new(OpaqueCursor(Position { list: self.field.into(), id: id(&row) }), T::from(row))),
        );
        connection
    }
}

/// The content of a cursor, `LIST:ID`. The list is checked, so that no cursor is taken for one of another list.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub struct Position {
    list: Cow<'static, str>,
    id: Uuid,
}

impl Display for Position {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.list, self.id)
    }
}

impl Serialize for Position {
    /// Without an intermediate String: a page has a cursor a row.
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl TryFrom<String> for Position {
    type Error = &'static str;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        let (list, id) = text.split_once(':').ok_or("no list")?;
        Ok(Self { list: list.to_owned().into(), id: id.parse().map_err(|_| "no id")? })
    }
}

/// The id in a cursor of `field`.
fn id_at(field: &str, argument: &str, cursor: Option<String>) -> Result<Option<Uuid>> {
    let Some(cursor) = cursor else { return Ok(None) };
    let position = OpaqueCursor::<Position>::decode_cursor(&cursor).ok().map(|cursor| cursor.0);
    let id = position.filter(|position| position.list == field).map(|position| position.id);
    let id = id.ok_or_else(|| format!("{argument}: want a cursor of {field}, as its edges and its pageInfo have it"));
    id.map(Some).map_err(bad_user_input)
}
