//! Totals without row counts: a choice, for engines that refuse the triggers of `row_count`, as Citus does.
//!
//! A view in the place of `{table}_count` counts when it is read. The services send the same statements either way, so
//! they need no setting, and a running one no restart.

use sea_orm_migration::{
    prelude::*,
    sea_orm::{ConnectionTrait, DbBackend, Statement},
};

use crate::row_count::{self, Valued};

/// A table with a row count, and the column whose values are counted too.
pub(crate) type Counted = (&'static str, Option<Valued>);

/// Replaces row counts by views that count. Its `up` and its `down` do nothing where they are done already. For PostgreSQL,
/// and for a schema whose migrations are all applied.
#[derive(Debug)]
pub struct CountOnDemand(pub(crate) &'static [Counted]);

impl MigrationName for CountOnDemand {
    fn name(&self) -> &'static str {
        "count_on_demand"
    }
}

#[async_trait::async_trait]
impl MigrationTrait for CountOnDemand {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        for &(table, valued) in self.0 {
            if is_on_demand(manager, table).await? {
                continue;
            }
            let grants = grants(manager, table).await?;
            if let Some(valued) = valued {
                row_count::drop_valued(manager, table, valued).await?;
            }
            row_count::drop(manager, table).await?;
            execute(manager, &view(table, valued)).await?;
            execute(manager, &grants).await?;
        }
        Ok(())
    }

    /// Fails for tables that Citus distributes: it would refuse each insertion.
    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        for &(table, valued) in self.0 {
            if !is_on_demand(manager, table).await? {
                continue;
            }
            if is_distributed(manager, table).await? {
                return Err(DbErr::Custom(format!(
                    "Citus distributes {table}, and refuses triggers that count its rows"
                )));
            }
            let grants = grants(manager, table).await?;
            execute(manager, &format!("DROP VIEW {table}_count")).await?;
            row_count::keep(manager, table).await?;
            if let Some(valued) = valued {
                row_count::keep_valued(manager, table, valued).await?;
                let Valued { column, count } = valued;
                // The triggers' locks keep writers out, so the row of `keep` is the only one.
                let counted = format!("UPDATE {table}_count SET {count} = (SELECT count({column}) FROM {table})");
                execute(manager, &counted).await?;
            }
            execute(manager, &grants).await?;
        }
        Ok(())
    }
}

/// A subquery for each count: the planner leaves out those that are not read, and each may read an index of its own.
fn view(table: &str, valued: Option<Valued>) -> String {
    let valued = valued.map_or_else(String::new, |Valued { column, count }| {
        format!(", (SELECT count(*) FROM {table} WHERE {column} IS NOT NULL) AS {count}")
    });
    format!("CREATE VIEW {table}_count AS SELECT 0 AS slot, (SELECT count(*) FROM {table}) AS row_count{valued}")
}

async fn is_on_demand(manager: &SchemaManager<'_>, table: &str) -> Result<bool, DbErr> {
    let view = format!("SELECT true FROM pg_class WHERE oid = to_regclass('{table}_count') AND relkind = 'v'");
    Ok(query(manager, view).await?.is_some())
}

async fn is_distributed(manager: &SchemaManager<'_>, table: &str) -> Result<bool, DbErr> {
    let citus = "SELECT true WHERE to_regclass('pg_catalog.pg_dist_partition') IS NOT NULL".to_owned();
    let of_it = format!("SELECT true FROM pg_dist_partition WHERE logicalrelid = '{table}'::regclass");
    Ok(query(manager, citus).await?.is_some() && query(manager, of_it).await?.is_some())
}

/// The statements that grant what others may do with the count now, beside what default privileges grant.
async fn grants(manager: &SchemaManager<'_>, table: &str) -> Result<String, DbErr> {
    let grants = format!(
        "SELECT string_agg(format('GRANT %s ON {table}_count TO %s', privilege_type,
             CASE grantee WHEN 0 THEN 'PUBLIC' ELSE quote_ident(pg_get_userbyid(grantee)) END), '; ')
         FROM pg_class, aclexplode(relacl) WHERE oid = '{table}_count'::regclass AND grantee <> relowner"
    );
    let row = query(manager, grants).await?;
    Ok(row.map(|row| row.try_get_by_index::<Option<String>>(0)).transpose()?.flatten().unwrap_or_default())
}

async fn query(
    manager: &SchemaManager<'_>,
    sql: String,
) -> Result<Option<sea_orm_migration::sea_orm::QueryResult>, DbErr> {
    manager.get_connection().query_one_raw(Statement::from_string(DbBackend::Postgres, sql)).await
}

async fn execute(manager: &SchemaManager<'_>, sql: &str) -> Result<(), DbErr> {
    manager.get_connection().execute_unprepared(sql).await.map(drop)
}
