//! Indexes of lists that are ordered by a time and the id.
//!
//! They have the expressions by which the services sort, `time_key` and `time_key_within` of `chassis::database`, where the
//! reasons stand.

use sea_orm_migration::{
    prelude::*,
    sea_orm::{ConnectionTrait, DbBackend},
};

pub(crate) struct Index {
    name: &'static str,
    /// The column of which each list has one value.
    of: Option<&'static str>,
    time: &'static str,
    /// Condition of a partial index.
    only: Option<&'static str>,
}

impl Index {
    pub(crate) const fn new(
        name: &'static str,
        of: Option<&'static str>,
        time: &'static str,
        only: Option<&'static str>,
    ) -> Self {
        Self { name, of, time, only }
    }
}

/// The migration that builds an index. On PostgreSQL the table can be read meanwhile, and not be written.
pub(crate) struct Build {
    name: String,
    table: &'static str,
    index: &'static Index,
}

impl Build {
    pub(crate) fn new(prefix: &str, table: &'static str, index: &'static Index) -> Self {
        Self { name: format!("{prefix}_{}", index.name), table, index }
    }
}

impl MigrationName for Build {
    fn name(&self) -> &str {
        &self.name
    }
}

#[async_trait::async_trait]
impl MigrationTrait for Build {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let Index { name, of, time, only } = *self.index;
        let time = match manager.get_database_backend() {
            DbBackend::Sqlite => format!("substr(replace({time}, '+00:00', '.000'), 1, 23)"),
            _ => time.to_owned(),
        };
        let order = of.map_or_else(|| time.clone(), |column| format!("{column}, COALESCE({time}, {time})"));
        let only = only.map(|condition| format!(" WHERE {condition}")).unwrap_or_default();
        let create = format!("CREATE INDEX {name} ON {} ({order}, id){only}", self.table);
        manager.get_connection().execute_unprepared(&create).await.map(drop)
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let drop = format!("DROP INDEX {}", self.index.name);
        manager.get_connection().execute_unprepared(&drop).await.map(std::mem::drop)
    }
}
