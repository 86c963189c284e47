//! `finance_instance`: the identity of a finance database. A consultation service detects by it that its finance is
//! another one. A backup keeps it, and it ends with the database: triggers refuse every change.

use entity::finance_instance;
use sea_orm_migration::{
    prelude::*,
    schema::{boolean, uuid},
    sea_orm::{ConnectionTrait, DbBackend},
};
use uuid::Uuid;

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

/// SQLite's REPLACE deletes without firing the triggers of deletion; that of insertion refuses it.
const SQLITE: [&str; 3] = [
    "CREATE TRIGGER finance_instance_alone BEFORE INSERT ON finance_instance
     WHEN EXISTS (SELECT 1 FROM finance_instance)
     BEGIN SELECT RAISE(ABORT, 'the instance id of finance never changes'); END",
    "CREATE TRIGGER finance_instance_stay BEFORE UPDATE ON finance_instance
     BEGIN SELECT RAISE(ABORT, 'the instance id of finance never changes'); END",
    "CREATE TRIGGER finance_instance_keep BEFORE DELETE ON finance_instance
     BEGIN SELECT RAISE(ABORT, 'the instance id of finance never changes'); END",
];

const POSTGRES: [&str; 2] = [
    "CREATE FUNCTION finance_instance_refuse() RETURNS trigger LANGUAGE plpgsql AS $$
     BEGIN RAISE EXCEPTION 'the instance id of finance never changes' USING ERRCODE = 'restrict_violation'; END $$",
    "CREATE TRIGGER finance_instance_stay BEFORE UPDATE OR DELETE OR TRUNCATE ON finance_instance
     FOR EACH STATEMENT EXECUTE FUNCTION finance_instance_refuse()",
];

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        use finance_instance::Column::{Id, Singleton};
        let table = Table::create()
            .table(finance_instance::Entity)
            .col(boolean(Singleton).primary_key())
            .col(uuid(Id))
            .check(Expr::col(Singleton).eq(true))
            .to_owned();
        manager.create_table(table).await?;
        let id = Query::insert()
            .into_table(finance_instance::Entity)
            .columns([Singleton, Id])
            .values_panic([true.into(), Uuid::new_v4().into()])
            .to_owned();
        manager.execute(id).await?;
        let is_sqlite = manager.get_database_backend() == DbBackend::Sqlite;
        let triggers: &[&str] = if is_sqlite { &SQLITE } else { &POSTGRES };
        for trigger in triggers {
            manager.get_connection().execute_unprepared(trigger).await?;
        }
        Ok(())
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager.drop_table(Table::drop().table(finance_instance::Entity).to_owned()).await?;
        if manager.get_database_backend() == DbBackend::Postgres {
            manager.get_connection().execute_unprepared("DROP FUNCTION finance_instance_refuse").await?;
        }
        Ok(())
    }
}
