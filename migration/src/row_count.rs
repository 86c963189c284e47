//! Row counts, updated by triggers with each insertion and deletion: a total costs the same for a list of any length.
//!
//! On PostgreSQL a statement updates the count once, at its end. Each connection uses one of 64 slots, so that
//! concurrent commits seldom wait for each other; the total is the sum of the slots.
//!
//! A second count beside it has the rows with a value in one column, which never leaves a row again.
//!
//! An operator may choose to do without (`count_on_demand`): a later migration of a count has to work beside a view too.

use sea_orm_migration::{
    prelude::*,
    sea_orm::{ConnectionTrait, DbBackend, Statement},
};

/// Creates `{table}_count` and its triggers. No other transaction may write to `table` meanwhile.
pub(crate) async fn keep(manager: &SchemaManager<'_>, table: &str) -> Result<(), DbErr> {
    let create = format!("CREATE TABLE {table}_count (slot integer PRIMARY KEY, row_count bigint NOT NULL)");
    // After the triggers: creating them waits for the last transaction without a count.
    let count = format!("INSERT INTO {table}_count SELECT 0, count(*) FROM {table}");
    let counting = counting(manager, table, None).await?;
    let triggers = if is_sqlite(manager) { Vec::new() } else { triggers(table) };
    execute(manager, [vec![create], counting, triggers, vec![count]].concat()).await
}

/// Rows with a value in `column`.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Valued {
    pub(crate) column: &'static str,
    /// The column of `{table}_count` that has their count.
    pub(crate) count: &'static str,
}

/// Counts rows with a value too, from none: right after the column was added.
pub(crate) async fn keep_valued(manager: &SchemaManager<'_>, table: &str, valued: Valued) -> Result<(), DbErr> {
    let Valued { column, count } = valued;
    let add = format!("ALTER TABLE {table}_count ADD COLUMN {count} bigint NOT NULL DEFAULT 0");
    let when = format!("WHEN (OLD.{column} IS NULL AND NEW.{column} IS NOT NULL)");
    let trigger =
        format!("CREATE TRIGGER {table}_count_update AFTER UPDATE OF {column} ON {table} FOR EACH ROW {when}");
    let update = if is_sqlite(manager) {
        vec![format!("{trigger} BEGIN UPDATE {table}_count SET {count} = {count} + 1; END")]
    } else {
        let one = format!(
            "INSERT INTO {schema}.{table}_count AS counted (slot, row_count, {count}) VALUES (pg_backend_pid() % 64, 0, 1)
             ON CONFLICT (slot) DO UPDATE SET {count} = counted.{count} + 1",
            schema = schema(manager).await?
        );
        vec![function(table, "update", &one), format!("{trigger} EXECUTE FUNCTION {table}_count_update()")]
    };
    let counting = counting(manager, table, Some(valued)).await?;
    execute(manager, [vec![add], uncounting(manager, table), counting, update].concat()).await
}

/// Counts all rows only.
pub(crate) async fn drop_valued(manager: &SchemaManager<'_>, table: &str, valued: Valued) -> Result<(), DbErr> {
    let update = if is_sqlite(manager) {
        vec![format!("DROP TRIGGER {table}_count_update")]
    } else {
        vec![format!("DROP TRIGGER {table}_count_update ON {table}"), format!("DROP FUNCTION {table}_count_update")]
    };
    let remove = format!("ALTER TABLE {table}_count DROP COLUMN {}", valued.count);
    let counting = counting(manager, table, None).await?;
    execute(manager, [update, uncounting(manager, table), counting, vec![remove]].concat()).await
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

/// What counts: the triggers on SQLite, their functions on PostgreSQL.
async fn counting(manager: &SchemaManager<'_>, table: &str, valued: Option<Valued>) -> Result<Vec<String>, DbErr> {
    let operations = [("insert", "NEW", "+"), ("delete", "OLD", "-")];
    if is_sqlite(manager) {
        return Ok(operations.map(|(operation, row, sign)| sqlite(table, valued, operation, row, sign)).into());
    }
    let schema = schema(manager).await?;
    let counted = operations.map(|(operation, _, sign)| function(table, operation, &add(&schema, table, valued, sign)));
    let emptied = function(table, "truncate", &format!("DELETE FROM {schema}.{table}_count"));
    Ok(counted.into_iter().chain([emptied]).collect())
}

/// PostgreSQL replaces functions; SQLite's triggers go first.
fn uncounting(manager: &SchemaManager<'_>, table: &str) -> Vec<String> {
    let operations: &[_] = if is_sqlite(manager) { &["insert", "delete"] } else { &[] };
    operations.iter().map(|operation| format!("DROP TRIGGER {table}_count_{operation}")).collect()
}

fn sqlite(table: &str, valued: Option<Valued>, operation: &str, row: &str, sign: &str) -> String {
    let valued = valued.map_or_else(String::new, |Valued { column, count }| {
        format!(", {count} = {count} {sign} ({row}.{column} IS NOT NULL)")
    });
    format!(
        "CREATE TRIGGER {table}_count_{operation} AFTER {operation} ON {table}
         BEGIN UPDATE {table}_count SET row_count = row_count {sign} 1{valued}; END"
    )
}

/// Name of the schema that holds the tables, quoted if needed.
async fn schema(manager: &SchemaManager<'_>) -> Result<String, DbErr> {
    let schema = Statement::from_string(DbBackend::Postgres, "SELECT quote_ident(current_schema())");
    let row = manager.get_connection().query_one_raw(schema).await?;
    row.ok_or_else(|| DbErr::Custom("no schema to create tables in".to_owned()))?.try_get_by_index(0)
}

fn function(table: &str, operation: &str, body: &str) -> String {
    format!(
        "CREATE OR REPLACE FUNCTION {table}_count_{operation}() RETURNS trigger LANGUAGE plpgsql AS $$
         BEGIN {body}; RETURN NULL; END $$"
    )
}

/// With the schema's name, since a writer's search path may differ.
fn add(schema: &str, table: &str, valued: Option<Valued>, sign: &str) -> String {
    let (columns, counts, sums) = valued.map_or_else(Default::default, |Valued { column, count }| {
        let sum = format!(", {count} = counted.{count} + EXCLUDED.{count}");
        (format!(", {count}"), format!(", {sign}count({column})"), sum)
    });
    format!(
        "INSERT INTO {schema}.{table}_count AS counted (slot, row_count{columns})
         SELECT pg_backend_pid() % 64, {sign}count(*){counts} FROM changed HAVING count(*) > 0
         ON CONFLICT (slot) DO UPDATE SET row_count = counted.row_count + EXCLUDED.row_count{sums}"
    )
}

/// PostgreSQL's triggers.
fn triggers(table: &str) -> Vec<String> {
    let changed = [("insert", "REFERENCING NEW TABLE AS changed"), ("delete", "REFERENCING OLD TABLE AS changed")];
    let trigger = |(operation, changed)| {
        format!(
            "CREATE TRIGGER {table}_count_{operation} AFTER {operation} ON {table} {changed}
             FOR EACH STATEMENT EXECUTE FUNCTION {table}_count_{operation}()"
        )
    };
    changed.into_iter().chain([("truncate", "")]).map(trigger).collect()
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
