//! The plan of a statement, for tests of which index it reads.

use sea_orm::{ConnectionTrait, DbBackend, QueryTrait, Statement, sea_query::SelectStatement};

/// Returns the plan of a query, line by line.
pub async fn plan(
    database: &impl ConnectionTrait,
    query: &impl QueryTrait<QueryStatement = SelectStatement>,
) -> String {
    let backend = database.get_database_backend();
    let query = query.build(backend);
    let (explain, column) = match backend {
        DbBackend::Sqlite => ("EXPLAIN QUERY PLAN", "detail"),
        _ => ("EXPLAIN", "QUERY PLAN"),
    };
    let values = query.values.into_iter().flatten();
    let statement = Statement::from_sql_and_values(backend, format!("{explain} {}", query.sql), values);
    let lines = database.query_all_raw(statement).await.expect("a plan");
    let lines: Vec<String> = lines.iter().map(|line| line.try_get("", column).expect("a line")).collect();
    lines.join("\n")
}
