//! The list of the API: its arguments as conditions and order.

use async_graphql::{Context, Result};
use chassis::{
    clock,
    database::{Database, paging},
};
use chrono::Utc;
use entity::payment::{Column, Model};
use graphql_http::{
    connection::{Connection, Key, List, Page},
    observer::Touched,
    refusal::bad_user_input,
    scalars::DateTime,
};
use sea_orm::ConnectionTrait;

use super::types::{OrderDirection, Payment, PaymentFilter, PaymentOrder};
use crate::{lists::Conditions, writer::APPEARS_WITHIN};

/// Appointments in a filter: as many as a page can have payments.
const MAX_APPOINTMENTS: usize = 100;

/// Relay's arguments of a page: `first`, `after`, `last`, `before`.
pub(super) type Range = (Option<i32>, Option<String>, Option<i32>, Option<String>);

pub(super) async fn payments(
    ctx: &Context<'_>,
    filter: Option<PaymentFilter>,
    order_by: Option<PaymentOrder>,
    (first, after, last, before): Range,
) -> Result<Connection<Payment>> {
    let descending = order_by.is_some_and(|order| order.direction == OrderDirection::Desc);
    let order = List { field: "payments", ordered_by: "RECORDED_AT", descending };
    let page = Page::new(order, first, after, last, before)?;
    let database = ctx.data_unchecked::<Database>();
    // A replica shows the payments of a moment ago: what was stable then.
    let conditions = filter.unwrap_or_default().conditions(clock::now() - database.max_staleness())?;
    let (rows, time, count) = conditions.rows(database.read.get_database_backend());
    let key = |row: &Model| Key { time: row.recorded_at, id: row.id };
    let page: Connection<Payment> = paging::load(page, rows, count, (time, Column::Id), database, key).await?;
    Touched::by(ctx).add(page.edges.iter().map(|edge| edge.node.appointment_id.0));
    Ok(page)
}

impl PaymentFilter {
    fn conditions(self, now: chrono::DateTime<Utc>) -> Result<Conditions> {
        let appointment_ids = self.appointment_ids.map(|ids| ids.into_iter().map(|id| id.0).collect::<Vec<_>>());
        if appointment_ids.as_ref().is_some_and(|ids| ids.len() > MAX_APPOINTMENTS) {
            return Err(bad_user_input(format!("filter.appointmentIds: want at most {MAX_APPOINTMENTS}")));
        }
        let at = |argument, time: Option<DateTime>| time.map(|time| instant(argument, time)).transpose();
        // A payment may appear until its write has ended, before others that were recorded meanwhile.
        let stable_before = (self.stable == Some(true)).then(|| now - APPEARS_WITHIN);
        let recorded_before = at("filter.recordedBefore", self.recorded_before)?;
        Ok(Conditions {
            appointment_ids,
            recorded_from: at("filter.recordedFrom", self.recorded_from)?,
            recorded_before: recorded_before.into_iter().chain(stable_before).min(),
        })
    }
}

fn instant(argument: &str, time: DateTime) -> Result<chrono::DateTime<Utc>> {
    match time {
        DateTime::Utc(time) => Ok(time),
        DateTime::Local(_) => {
            Err(bad_user_input(format!("{argument}: want an offset, as in 2021-08-02T12:00:00-03:00")))
        }
    }
}
