//! Row counts, updated by triggers with each insertion and deletion: a total costs the same for a list of any length.
//!
//! On PostgreSQL a statement updates the count once, at its end. Each connection uses one of 64 slots, so that
//! concurrent commits seldom wait for each other; the total is the sum of the slots.

use sea_orm_migration::{
    prelude::*,
    sea_orm::{ConnectionTrait, DbBackend, Statement},
};

/// Creates `{table}_count` and its triggers. No other transaction may write to `table` meanwhile.
pub(crate) async fn keep(manager: &SchemaManager<'_>, table: &str) -> Result<(), DbErr> {
    let create = format!("CREATE TABLE {table}_count (slot integer PRIMARY KEY, row_count bigint NOT NULL)");
    // After the triggers: creating them waits for the last transaction without a count.
    let count = format!("INSERT INTO {table}_count SELECT 0, count(*) FROM {table}");
    let triggers = if is_sqlite(manager) { sqlite(table) } else { postgres(&schema(manager).await?, table) };
    execute(manager, [vec![create], triggers, vec![count]].concat()).await
}

/// Drops the count and its triggers.
pub(crate) async fn drop(manager: &SchemaManager<'_>, table: &str) -> Result<(), DbErr> {
    let operations: &[&str] =
        if is_sqlite(manager) { &["insert", "delete"] } else { &["insert", "delete", "truncate"] };
    let on_table = if is_sqlite(manager) { String::new() } else { format!(" ON {table}") };
    let mut statements: Vec<_> =
        operations.iter().map(|operation| format!("DROP TRIGGER {table}_count_{operation}{on_table}")).collect();
    if !is_sqlite(manager) {
        statements.extend(operations.iter().map(|operation| format!("DROP FUNCTION {table}_count_{operation}")));
    }
    statements.push(format!("DROP TABLE {table}_count"));
    execute(manager, statements).await
}

fn sqlite(table: &str) -> Vec<String> {
    let trigger = |operation: &str, change: &str| {
        format!(
            "CREATE TRIGGER {table}_count_{operation} AFTER {operation} ON {table}
             BEGIN UPDATE {table}_count SET row_count = row_count {change} 1; END"
        )
    };
    vec![trigger("insert", "+"), trigger("delete", "-")]
}

/// Name of the schema that holds the tables, quoted if needed.
async fn schema(manager: &SchemaManager<'_>) -> Result<String, DbErr> {
    let schema = Statement::from_string(DbBackend::Postgres, "SELECT quote_ident(current_schema())");
    let row = manager.get_connection().query_one_raw(schema).await?;
    row.ok_or_else(|| DbErr::Custom("no schema to create tables in".to_owned()))?.try_get_by_index(0)
}

/// Statements with the schema's name, since a writer's search path may differ.
fn postgres(schema: &str, table: &str) -> Vec<String> {
    let function = |operation: &str, body: &str| {
        format!(
            "CREATE FUNCTION {table}_count_{operation}() RETURNS trigger LANGUAGE plpgsql AS $$
             BEGIN {body}; RETURN NULL; END $$"
        )
    };
    let add = |change: &str| {
        format!(
            "INSERT INTO {schema}.{table}_count AS counted SELECT pg_backend_pid() % 64, {change} FROM changed
             HAVING count(*) > 0
             ON CONFLICT (slot) DO UPDATE SET row_count = counted.row_count + EXCLUDED.row_count"
        )
    };
    let trigger = |operation: &str, changed: &str| {
        format!(
            "CREATE TRIGGER {table}_count_{operation} AFTER {operation} ON {table} {changed}
             FOR EACH STATEMENT EXECUTE FUNCTION {table}_count_{operation}()"
        )
    };
    vec![
        function("insert", &add("count(*)")),
        function("delete", &add("-count(*)")),
        function("truncate", &format!("DELETE FROM {schema}.{table}_count")),
        trigger("insert", "REFERENCING NEW TABLE AS changed"),
        trigger("delete", "REFERENCING OLD TABLE AS changed"),
        trigger("truncate", ""),
    ]
}

fn is_sqlite(manager: &SchemaManager<'_>) -> bool {
    manager.get_database_backend() == DbBackend::Sqlite
}

async fn execute(manager: &SchemaManager<'_>, statements: Vec<String>) -> Result<(), DbErr> {
    for statement in statements {
        manager.get_connection().execute_unprepared(&statement).await?;
    }
    Ok(())
}
