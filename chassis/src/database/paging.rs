//! Pages of rows as GraphQL connections, by keyset pagination on a time and the id.

use async_graphql::{Error, OutputType};
use futures_util::FutureExt;
use graphql_http::connection::{Connection, Key, Page, Total};
use sea_orm::{
    ConnectionTrait, DbBackend, DbErr, EntityTrait, FromQueryResult, IntoSimpleExpr, Order, QueryFilter, QueryOrder,
    QuerySelect, QueryTrait, Select, Statement,
    sea_query::{Alias, Expr, ExprTrait, Func, Query, SelectStatement, SimpleExpr},
};

use super::{Connections, Database, time_key_of};

/// The count of a list, as an expression.
#[derive(Clone, Debug)]
pub struct Count(SimpleExpr);

impl Count {
    /// Counts rows by reading them, if possible in an index. For lists of bounded length.
    #[must_use]
    pub fn of(rows: &impl QueryTrait<QueryStatement = SelectStatement>) -> Self {
        let every = Expr::cust("*").count();
        // Without columns: many counts may wait in memory.
        let rows = rows.as_query().clone().clear_selects().expr(Expr::cust("1")).to_owned();
        Self(scalar(Query::select().expr(every).from_subquery(rows, "rows").to_owned()))
    }

    /// All rows of a table, from a count that triggers maintain. Its cost does not depend on the number of rows.
    #[must_use]
    pub fn kept_of(table: impl EntityTrait) -> Self {
        Self::kept_in(table, "row_count")
    }

    /// Some rows of a table, whose count triggers maintain in this column of its counts.
    #[must_use]
    pub fn kept_in(table: impl EntityTrait, column: &'static str) -> Self {
        // PostgreSQL's sum of integers is a decimal.
        let sum = Expr::col(column).sum().cast_as(Alias::new("bigint"));
        let counts = Alias::new(format!("{}_count", table.table_name()));
        Self(scalar(Query::select().expr(Func::coalesce([sum, 0_i64.into()])).from(counts).to_owned()))
    }

    /// This count minus another.
    #[must_use]
    pub fn without(self, others: Self) -> Self {
        Self(self.0.sub(others.0))
    }

    fn statement(&self, backend: DbBackend) -> Statement {
        backend.build(Query::select().expr_as(self.0.clone(), "total"))
    }

    async fn read(statement: Statement, database: Connections) -> Result<i64, DbErr> {
        let row = database.query_one_raw(statement).await?;
        row.ok_or_else(|| DbErr::Custom("a count gave no row".to_owned()))?.try_get("", "total")
    }
}

/// Loads a page of `rows` in the order of a time key and the id, with the total `count`.
///
/// # Errors
/// When the database fails.
pub async fn load<E, T>(
    page: Page,
    rows: Select<E>,
    count: Count,
    order: (SimpleExpr, E::Column),
    database: &Database,
    key: impl Fn(&E::Model) -> Key,
) -> Result<Connection<T>, Error>
where
    E: EntityTrait<Model: FromQueryResult + Send + Sync>,
    T: OutputType + From<E::Model>,
{
    let mut rows = select(&page, rows, order, database.read.get_database_backend()).all(&database.read).await?;
    if page.backward {
        rows.reverse();
    }
    let counting = database.count.clone();
    let total = Total::new(move || {
        let statement = count.statement(counting.get_database_backend());
        Count::read(statement, counting.clone()).map(|total| Ok(total?)).boxed()
    });
    Ok(page.connection(rows, total, key))
}

/// The statement of a page, of which an index has the order. The last page of a range comes with its last row first.
#[must_use]
pub fn select<E: EntityTrait>(
    page: &Page,
    rows: Select<E>,
    (time, id): (SimpleExpr, E::Column),
    backend: DbBackend,
) -> Select<E> {
    let bound = |key: Key, is_lower: bool| {
        let value = time_key_of(backend, key.time);
        let row = Expr::tuple([time.clone(), id.into_simple_expr()]);
        let key = Expr::tuple([value.clone(), key.id.into()]);
        let (beyond, from) =
            if is_lower { (row.gt(key), time.clone().gte(value)) } else { (row.lt(key), time.clone().lte(value)) };
        // To SQLite a comparison of pairs is no range of an index; PostgreSQL would count both as conditions.
        if backend == DbBackend::Sqlite { from.and(beyond) } else { beyond }
    };
    let descending = page.list.descending;
    let direction = if descending == page.backward { Order::Asc } else { Order::Desc };
    rows.apply_if(page.after, |rows, key| rows.filter(bound(key, !descending)))
        .apply_if(page.before, |rows, key| rows.filter(bound(key, descending)))
        .order_by(time.clone(), direction.clone())
        .order_by(id, direction)
        .limit(page.limit())
}

fn scalar(query: SelectStatement) -> SimpleExpr {
    SimpleExpr::SubQuery(None, Box::new(query.into()))
}
