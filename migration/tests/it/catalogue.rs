//! The database's catalogue.

use sea_orm::{ConnectionTrait, DbBackend, Statement};
use testkit::TestDatabase;

/// The catalogue's description of the schema, line by line.
pub(crate) async fn catalogue(db: &TestDatabase) -> Vec<String> {
    const SQLITE: &str =
        "SELECT type || ' ' || name || ': ' || coalesce(sql, '') AS line FROM sqlite_master ORDER BY 1";
    const POSTGRES: &str = "
        SELECT 'column ' || table_name || '.' || column_name || ': ' || data_type || coalesce(column_default, '')
            || is_nullable AS line
        FROM information_schema.columns WHERE table_schema = 'public'
        UNION SELECT 'index ' || indexdef FROM pg_indexes WHERE schemaname = 'public'
        UNION SELECT 'trigger ' || pg_get_triggerdef(pg_trigger.oid) FROM pg_trigger
        JOIN pg_class ON pg_class.oid = tgrelid WHERE NOT tgisinternal AND relnamespace = 'public'::regnamespace
        UNION SELECT 'function ' || pg_get_functiondef(oid) FROM pg_proc WHERE pronamespace = 'public'::regnamespace
        UNION SELECT 'constraint ' || conrelid::regclass || ' ' || pg_get_constraintdef(oid)
        FROM pg_constraint WHERE connamespace = 'public'::regnamespace ORDER BY 1";
    texts(db, SQLITE, POSTGRES).await
}

/// The names of all tables.
pub(crate) async fn tables(db: &TestDatabase) -> Vec<String> {
    const SQLITE: &str = "SELECT name AS line FROM sqlite_master WHERE type = 'table' ORDER BY 1";
    const POSTGRES: &str = "SELECT tablename::text AS line FROM pg_tables WHERE schemaname = 'public' ORDER BY 1";
    texts(db, SQLITE, POSTGRES).await
}

/// Applied migrations in a migration table.
pub(crate) async fn applied(db: &TestDatabase, table: &str) -> Vec<String> {
    let sql = format!("SELECT version || ' ' || applied_at AS line FROM {table} ORDER BY 1");
    texts(db, &sql, &sql).await
}

async fn texts(db: &TestDatabase, sqlite: &str, postgres: &str) -> Vec<String> {
    let backend = db.database.read.get_database_backend();
    let sql = if backend == DbBackend::Sqlite { sqlite } else { postgres };
    let rows = db.database.read.query_all_raw(Statement::from_string(backend, sql)).await.expect("rows");
    rows.iter().map(|row| row.try_get("", "line").expect("a text")).collect()
}
