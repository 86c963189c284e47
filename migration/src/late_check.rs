//! CHECKs of columns that are added to long tables. PostgreSQL would read the whole table under an exclusive lock, so
//! there a CHECK is for new rows first. A later migration validates it, beside reads and writes.

use sea_orm_migration::{
    prelude::*,
    sea_orm::{ConnectionTrait, DbBackend},
};

/// Adds `column` with a CHECK of this name. Rows that are there have to satisfy it.
pub(crate) async fn add_column(
    manager: &SchemaManager<'_>,
    table: &str,
    mut column: ColumnDef,
    (name, check): (&str, SimpleExpr),
) -> Result<(), DbErr> {
    let is_sqlite = manager.get_database_backend() == DbBackend::Sqlite;
    if is_sqlite {
        column.check(check.clone());
    }
    manager.alter_table(Table::alter().table(Alias::new(table)).add_column(column).take()).await?;
    if is_sqlite {
        return Ok(());
    }
    let select = Query::select().expr(check).to_string(PostgresQueryBuilder);
    let check = select.trim_start_matches("SELECT ");
    let add = format!("ALTER TABLE {table} ADD CONSTRAINT {name} CHECK ({check}) NOT VALID");
    manager.get_connection().execute_unprepared(&add).await.map(drop)
}

/// Validates CHECKs of `table`, whose reads and writes go on meanwhile.
pub(crate) async fn validate(manager: &SchemaManager<'_>, table: &str, names: &[&str]) -> Result<(), DbErr> {
    if manager.get_database_backend() == DbBackend::Sqlite {
        return Ok(());
    }
    let validate: Vec<_> = names.iter().map(|name| format!("VALIDATE CONSTRAINT {name}")).collect();
    let validate = format!("ALTER TABLE {table} {}", validate.join(", "));
    manager.get_connection().execute_unprepared(&validate).await.map(drop)
}
