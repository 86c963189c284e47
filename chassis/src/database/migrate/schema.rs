//! Schemas of PostgreSQL: several installations of a service in one database have one each.

use reqwest::Url;
use sea_orm::{ConnectionTrait, DatabaseTransaction, DbBackend, DbErr, Statement};
use secrecy::{ExposeSecret, SecretString};

/// The URL of a schema: its search path, after whatever the URL says of it, which it replaces.
pub(crate) fn url_of(url: &SecretString, schema: &str) -> SecretString {
    let url = url.expose_secret();
    let encoded = Url::parse_with_params("postgres:", [("options[search_path]", quoted(schema))]);
    let encoded = encoded.ok().and_then(|encoded| encoded.query().map(str::to_owned)).unwrap_or_default();
    let separator = if url.contains('?') { '&' } else { '?' };
    format!("{url}{separator}{encoded}").into()
}

/// The schema that migrations create tables in: the first one on the search path that exists.
pub(super) async fn current(transaction: &DatabaseTransaction) -> Result<String, DbErr> {
    let current = Statement::from_string(DbBackend::Postgres, "SELECT current_schema()::text");
    let row = transaction.query_one_raw(current).await?;
    let name = row.map(|row| row.try_get_by_index::<Option<String>>(0)).transpose()?.flatten();
    name.ok_or_else(|| {
        DbErr::Custom("no schema on the search path exists: `migrate --schema NAME` creates one".to_owned())
    })
}

/// Creates the schema if it is missing. Where it exists no privilege is needed.
pub(super) async fn create(transaction: &DatabaseTransaction, name: &str) -> Result<(), DbErr> {
    let found = "SELECT 1 FROM pg_namespace WHERE nspname = $1";
    let found = Statement::from_sql_and_values(DbBackend::Postgres, found, [name.into()]);
    if transaction.query_one_raw(found).await?.is_none() {
        transaction.execute_unprepared(&format!("CREATE SCHEMA {}", quoted(name))).await?;
    }
    Ok(())
}

fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}
