//! The rows of a query in batches of groups. Rows of one group follow each other and have the same first column.

use futures_util::{TryStreamExt, stream::BoxStream};
use sea_orm::DbErr;

use super::Row;
use crate::database::source::{Query, Source};

/// Groups in a batch: a transaction of a quarter of a second at most, for which writes of a running service wait on
/// SQLite. An INSERT of so many rows with 8 columns is below SQLite's 32,766 parameters.
const BATCH: usize = 4_000;

/// A stream of batches.
pub struct Batches<'a> {
    columns: &'static [&'static str],
    rows: BoxStream<'a, Result<Vec<Option<String>>, DbErr>>,
    /// The first row of the next batch.
    next: Option<Row>,
}

impl<'a> Batches<'a> {
    /// Begins to read.
    pub fn of(source: &'a mut Source, query: &Query) -> Self {
        Self { columns: query.columns, rows: source.rows(query), next: None }
    }

    /// The next batch, which is empty at the end.
    ///
    /// # Errors
    /// When the source cannot be read.
    pub async fn next(&mut self) -> Result<Vec<Vec<Row>>, DbErr> {
        let mut groups: Vec<_> = self.next.take().map(|row| vec![row]).into_iter().collect();
        while let Some(values) = self.rows.try_next().await? {
            let row = Row::new(self.columns, values);
            if let Some(group) = groups.last_mut().filter(|group| group[0].key() == row.key()) {
                group.push(row);
            } else if groups.len() == BATCH {
                self.next = Some(row);
                break;
            } else {
                groups.push(vec![row]);
            }
        }
        Ok(groups)
    }
}
