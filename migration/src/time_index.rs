//! Indexes of lists that are ordered by a time and the id.
//!
//! They have the expressions by which the services sort, `time_key` and `time_key_within` of `chassis::database`, where the
//! reasons stand.

use sea_orm_migration::{
    prelude::*,
    sea_orm::{ConnectionTrait, DbBackend},
};

pub(crate) struct Index {
    pub(crate) name: &'static str,
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

pub(crate) async fn create(manager: &SchemaManager<'_>, table: &str, indexes: &[Index]) -> Result<(), DbErr> {
    for Index { name, of, time, only } in indexes {
        let time = match manager.get_database_backend() {
            DbBackend::Sqlite => format!("substr(replace({time}, '+00:00', '.000'), 1, 23)"),
            _ => (*time).to_owned(),
        };
        let order = of.map_or_else(|| time.clone(), |column| format!("{column}, COALESCE({time}, {time})"));
        let only = only.map(|condition| format!(" WHERE {condition}")).unwrap_or_default();
        let create = format!("CREATE INDEX {name} ON {table} ({order}, id){only}");
        manager.get_connection().execute_unprepared(&create).await?;
    }
    Ok(())
}

pub(crate) async fn drop(manager: &SchemaManager<'_>, name: &str) -> Result<(), DbErr> {
    manager.get_connection().execute_unprepared(&format!("DROP INDEX {name}")).await.map(std::mem::drop)
}
