//! Cursors: the list, its order and the key of a row, as opaque text. In another list or another order the key would mean
//! another place, so both are checked.

use std::{
    borrow::Cow,
    fmt::{self, Display, Formatter},
};

use async_graphql::{
    Result,
    connection::{CursorType, OpaqueCursor},
};
use chrono::{DateTime, Datelike};
use serde::{Deserialize, Serialize, Serializer};
use uuid::Uuid;

use super::{Key, List};
use crate::refusal::bad_user_input;

/// The content of a cursor, `LIST:ORDER:DIRECTION:MICROSECONDS:ID`.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub struct Position {
    field: Cow<'static, str>,
    ordered_by: Cow<'static, str>,
    direction: Cow<'static, str>,
    key: Key,
}

impl Position {
    pub(super) fn new(list: List, key: Key) -> Self {
        let List { field, ordered_by, .. } = list;
        Self { field: field.into(), ordered_by: ordered_by.into(), direction: direction(list).into(), key }
    }
}

impl Display for Position {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let Self { field, ordered_by, direction, key: Key { time, id } } = self;
        write!(f, "{field}:{ordered_by}:{direction}:{}:{id}", time.timestamp_micros())
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
        let parts: Vec<_> = text.split(':').collect();
        let [field, ordered_by, direction, time, id] = parts[..] else { return Err("not five parts") };
        let time = time.parse().ok().and_then(DateTime::from_timestamp_micros);
        // Databases know no years far beyond those of the API.
        let time = time.filter(|time| (0..=9999).contains(&time.year())).ok_or("no time")?;
        let key = Key { time, id: id.parse().map_err(|_| "no id")? };
        let [field, ordered_by, direction] = [field, ordered_by, direction].map(|part| part.to_owned().into());
        Ok(Self { field, ordered_by, direction, key })
    }
}

/// Reads the key in a cursor of `list`.
pub(super) fn read(list: List, argument: &str, cursor: &str) -> Result<Key> {
    let List { field, ordered_by, .. } = list;
    let refuse = |why: String| Err(bad_user_input(format!("{argument}: {why}")));
    match OpaqueCursor::<Position>::decode_cursor(cursor) {
        Ok(OpaqueCursor(position)) if position.field == field => {
            let is_of_order = position.ordered_by == ordered_by && position.direction == direction(list);
            let want = format!("want a cursor of {field} by {ordered_by} {}", direction(list));
            if is_of_order { Ok(position.key) } else { refuse(format!("{want}; this one is of another order")) }
        }
        Err(_) if is_of_earlier_version(field, cursor) => {
            refuse(format!("this cursor of {field} is of an earlier version; begin again without it"))
        }
        _ => refuse(format!("want a cursor of {field}, as its edges and its pageInfo have it")),
    }
}

/// Whether it is `LIST:ID`, of the time when the order was that of the ids.
fn is_of_earlier_version(field: &str, cursor: &str) -> bool {
    let Ok(OpaqueCursor(text)) = OpaqueCursor::<String>::decode_cursor(cursor) else { return false };
    text.split_once(':').is_some_and(|(list, id)| list == field && Uuid::try_parse(id).is_ok())
}

fn direction(list: List) -> &'static str {
    if list.descending { "DESC" } else { "ASC" }
}
