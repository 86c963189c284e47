//! Lists as Relay connections, paged by key: a page costs the same wherever it lies.

mod position;

use async_graphql::{
    Object, OutputType, Result,
    connection::{
        Connection as RelayConnection, CursorType, DefaultConnectionName, DefaultEdgeName, DisableNodesField, Edge,
        EmptyFields, OpaqueCursor,
    },
};
use sea_orm::{
    ConnectionTrait, DbErr, EntityTrait, FromQueryResult, QueryTrait, Select,
    sea_query::{Alias, Expr, ExprTrait, Func, Query, SelectStatement, SimpleExpr},
};
use uuid::Uuid;

use super::refusal::bad_user_input;
use crate::database::{Connections, Database};
pub use position::Position;

/// How many a page has when the client does not say.
pub(super) const DEFAULT_SIZE: i32 = 20;
/// How many it has at most.
pub(super) const MAX_SIZE: i32 = 100;

/// A list of `T`, each with an opaque cursor.
pub type Connection<T> = RelayConnection<
    OpaqueCursor<Position>,
    T,
    Total,
    EmptyFields,
    DefaultConnectionName,
    DefaultEdgeName,
    DisableNodesField,
>;

/// Counts a list, and only when someone asks.
#[derive(Debug)]
pub struct Total {
    /// See [`Database::count`].
    database: Connections,
    count: Count,
}

#[Object]
impl Total {
    /// How many there are on all pages together.
    async fn total_count(&self) -> Option<Result<i64>> {
        Some(self.read().await.map_err(Into::into))
    }
}

impl Total {
    async fn read(&self) -> Result<i64, DbErr> {
        let count = Query::select().expr_as(self.count.0.clone(), "total").to_owned();
        let row = self.database.query_one(&count).await?;
        row.ok_or_else(|| DbErr::Custom("a count gave no row".to_owned()))?.try_get("", "total")
    }
}

/// How to count a list.
#[derive(Clone, Debug)]
pub struct Count(SimpleExpr);

impl Count {
    /// Reads them all, by an index at best: for lists that do not grow for ever.
    #[must_use]
    pub fn of(rows: &impl QueryTrait<QueryStatement = SelectStatement>) -> Self {
        let every = Expr::cust("*").count();
        Self(number(Query::select().expr(every).from_subquery(rows.as_query().clone(), "rows").to_owned()))
    }

    /// All rows of a table that is counted as they come and go: at the same cost however many there are.
    #[must_use]
    pub fn kept_of(table: impl EntityTrait) -> Self {
        // PostgreSQL's sum of whole numbers is none.
        let sum = Expr::col("row_count").sum().cast_as(Alias::new("bigint"));
        let counts = Alias::new(format!("{}_count", table.table_name()));
        Self(number(Query::select().expr(Func::coalesce([sum, 0_i64.into()])).from(counts).to_owned()))
    }

    /// Without those.
    #[must_use]
    pub fn without(self, others: Self) -> Self {
        Self(self.0.sub(others.0))
    }
}

fn number(query: SelectStatement) -> SimpleExpr {
    SimpleExpr::SubQuery(None, Box::new(query.into()))
}

/// Which page of a list, by the arguments of Relay's cursor connections.
#[derive(Debug)]
pub struct Page {
    /// The list.
    field: &'static str,
    size: u64,
    descending: bool,
    backward: bool,
    after: Option<Uuid>,
    before: Option<Uuid>,
}

impl Page {
    /// Reads the arguments of `field`, a list: `first` or `last` from 1 to 100, by default the first 20.
    ///
    /// # Errors
    /// When both are given, one is out of range, or a cursor is none of this list's.
    pub fn new(
        field: &'static str,
        first: Option<i32>,
        after: Option<String>,
        last: Option<i32>,
        before: Option<String>,
    ) -> Result<Self, async_graphql::Error> {
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

    /// The same of the list in the opposite order, if so.
    #[must_use]
    pub fn descending_if(self, descending: bool) -> Self {
        Self { descending, ..self }
    }

    /// Loads the page from rows in the order of their ids, of which there are `count`.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn load<E, T>(
        self,
        rows: Select<E>,
        count: Count,
        id_column: E::Column,
        database: &Database,
        id: impl Fn(&E::Model) -> Uuid,
    ) -> Result<Connection<T>, async_graphql::Error>
    where
        E: EntityTrait<Model: FromQueryResult + Send + Sync>,
        T: OutputType + From<E::Model>,
    {
        let total = Total { database: database.count.clone(), count };
        let mut rows = rows.cursor_by(id_column);
        if self.descending {
            rows.desc();
        }
        if let Some(after) = self.after {
            rows.after(after);
        }
        if let Some(before) = self.before {
            rows.before(before);
        }
        // One more than asked for tells whether there is another page.
        let asked = self.size + 1;
        let mut page = if self.backward { rows.last(asked) } else { rows.first(asked) }.all(&database.read).await?;
        let more = u64::try_from(page.len())? > self.size;
        if more {
            page.remove(if self.backward { 0 } else { page.len() - 1 });
        }
        let (has_previous, has_next) =
            if self.backward { (more, self.before.is_some()) } else { (self.after.is_some(), more) };
        let mut connection = Connection::with_additional_fields(has_previous, has_next, total);
        connection.edges.extend(
            page.into_iter()
                .map(|row| Edge::new(OpaqueCursor(Position { list: self.field.into(), id: id(&row) }), T::from(row))),
        );
        Ok(connection)
    }
}

/// The id of the row that a cursor of `field` is at.
fn id_at(field: &str, argument: &str, cursor: Option<String>) -> Result<Option<Uuid>, async_graphql::Error> {
    let Some(cursor) = cursor else { return Ok(None) };
    let position = OpaqueCursor::<Position>::decode_cursor(&cursor).ok().map(|cursor| cursor.0);
    let id = position.filter(|position| position.list == field).map(|position| position.id);
    let id = id.ok_or_else(|| format!("{argument}: want a cursor of {field}, as its edges and its pageInfo have it"));
    id.map(Some).map_err(bad_user_input)
}
