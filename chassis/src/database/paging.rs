//! Pages of rows as GraphQL connections, by keyset pagination on the id.

use async_graphql::{Error, OutputType};
use futures_util::FutureExt;
use graphql_http::connection::{Connection, Page, Total};
use sea_orm::{
    ConnectionTrait, DbErr, EntityTrait, FromQueryResult, QueryTrait, Select,
    sea_query::{Alias, Expr, ExprTrait, Func, Query, SelectStatement, SimpleExpr},
};
use uuid::Uuid;

use super::{Connections, Database};

/// The count of a list, as an expression.
#[derive(Clone, Debug)]
pub struct Count(SimpleExpr);

impl Count {
    /// Counts rows by reading them, if possible in an index. For lists of bounded length.
    #[must_use]
    pub fn of(rows: &impl QueryTrait<QueryStatement = SelectStatement>) -> Self {
        let every = Expr::cust("*").count();
        Self(scalar(Query::select().expr(every).from_subquery(rows.as_query().clone(), "rows").to_owned()))
    }

    /// All rows of a table, from a count that triggers maintain. Its cost does not depend on the number of rows.
    #[must_use]
    pub fn kept_of(table: impl EntityTrait) -> Self {
        // PostgreSQL's sum of integers is a decimal.
        let sum = Expr::col("row_count").sum().cast_as(Alias::new("bigint"));
        let counts = Alias::new(format!("{}_count", table.table_name()));
        Self(scalar(Query::select().expr(Func::coalesce([sum, 0_i64.into()])).from(counts).to_owned()))
    }

    /// This count minus another.
    #[must_use]
    pub fn without(self, others: Self) -> Self {
        Self(self.0.sub(others.0))
    }

    async fn read(self, database: Connections) -> Result<i64, DbErr> {
        let count = Query::select().expr_as(self.0, "total").to_owned();
        let row = database.query_one(&count).await?;
        row.ok_or_else(|| DbErr::Custom("a count gave no row".to_owned()))?.try_get("", "total")
    }
}

/// Loads a page of `rows` in the order of their ids, with the total `count`.
///
/// # Errors
/// When the database fails.
pub async fn load<E, T>(
    page: Page,
    rows: Select<E>,
    count: Count,
    id_column: E::Column,
    database: &Database,
    id: impl Fn(&E::Model) -> Uuid,
) -> Result<Connection<T>, Error>
where
    E: EntityTrait<Model: FromQueryResult + Send + Sync>,
    T: OutputType + From<E::Model>,
{
    let mut rows = rows.cursor_by(id_column);
    if page.descending {
        rows.desc();
    }
    if let Some(after) = page.after {
        rows.after(after);
    }
    if let Some(before) = page.before {
        rows.before(before);
    }
    let limited = if page.backward { rows.last(page.limit()) } else { rows.first(page.limit()) };
    let rows = limited.all(&database.read).await?;
    let counting = database.count.clone();
    let total = Total::new(move || count.clone().read(counting.clone()).map(|total| Ok(total?)).boxed());
    Ok(page.connection(rows, total, id))
}

fn scalar(query: SelectStatement) -> SimpleExpr {
    SimpleExpr::SubQuery(None, Box::new(query.into()))
}
