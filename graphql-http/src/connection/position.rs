//! What a cursor says: the list, so that one of another list is not taken for one of this, and the row.

use std::{
    borrow::Cow,
    fmt::{self, Display, Formatter},
};

use serde::{Deserialize, Serialize, Serializer};
use uuid::Uuid;

/// `LIST:ID`.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub struct Position {
    pub(super) list: Cow<'static, str>,
    pub(super) id: Uuid,
}

impl Display for Position {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.list, self.id)
    }
}

impl Serialize for Position {
    /// Without a String in between: a page has a cursor a row.
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
