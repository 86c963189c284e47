//! Reading payments.

use async_graphql::{Context, ID, Object, Result, dataloader::DataLoader};
use chassis::{
    clock,
    database::{
        Database,
        paging::{self, Count},
    },
};
use chrono::{TimeDelta, Utc};
use entity::payment::{Column, Entity as Payments};
use graphql_http::{
    complexity::page_cost,
    connection::{Connection, Page},
    observer::Touched,
    refusal::{bad_user_input, parse_id},
    scalars::{self, DateTime},
};
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, Select};

use super::{
    loader::{Loader, PaymentId},
    types::{Consultation, Node, Payment, PaymentFilter},
};
use crate::{store, writer::APPEARS_WITHIN};

/// Appointments in a filter: as many as a page can have payments.
const MAX_APPOINTMENTS: usize = 100;

/// The largest difference between the time in a payment's id, by a process's clock before the write, and the time of
/// recording, by the database's clock. A minute is for the clocks: a replica whose clock differs by more is not ready.
/// The rest is twice the longest wait of a caller.
const ID_TIME_DIFFERENCE: TimeDelta = TimeDelta::seconds(80);

#[derive(Debug)]
pub struct Query;

/// Reading payments.
// `Option<Result<T>>`, not the other way round: a fault then nulls its own field, not those beside it.
#[Object]
impl Query {
    /// Returns a payment, or null if none has this id.
    async fn payment(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Id of the payment.")] id: ID,
    ) -> Option<Result<Payment>> {
        find(ctx, &id).await.transpose()
    }

    /// Lists payments in the order in which they were recorded. By default the 20 oldest. A payment that is recorded at
    /// the same time as others may appear before them: to poll for new payments, filter the `stable` ones.
    #[graphql(complexity = "page_cost(__ctx, __variables_definition, __field, child_complexity)")]
    async fn payments(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Conditions. All payments by default.")] filter: Option<PaymentFilter>,
        #[graphql(desc = "Number of items from the start of the list, 1 to 100.")] first: Option<i32>,
        #[graphql(desc = "Returns the items after this cursor.")] after: Option<String>,
        #[graphql(desc = "Number of items from the end of the list, 1 to 100.")] last: Option<i32>,
        #[graphql(desc = "Returns the items before this cursor.")] before: Option<String>,
    ) -> Result<Connection<Payment>> {
        let page = Page::new("payments", first, after, last, before)?;
        let filter = filter.unwrap_or_default();
        let is_all = filter == PaymentFilter::default();
        let rows = matching(filter, clock::now())?;
        let count = if is_all { Count::kept_of(Payments) } else { Count::of(&rows) };
        let database = ctx.data_unchecked::<Database>();
        let page: Connection<Payment> = paging::load(page, rows, count, Column::Id, database, |row| row.id).await?;
        Touched::by(ctx).add(page.edges.iter().map(|edge| edge.node.appointment_id.0));
        Ok(page)
    }

    /// Instance id of this finance: a random id, made once when its database was created. A restored backup keeps it;
    /// another database has another. `recordPayments` refuses payments for another instance.
    // It identifies this subgraph. In one graph over both services its name would say nothing.
    #[graphql(inaccessible)]
    async fn instance_id(&self, ctx: &Context<'_>) -> Result<scalars::Uuid> {
        Ok(scalars::Uuid(store::instance_id(ctx.data_unchecked()).await?))
    }

    /// Returns an object of this service by its id, or null if none has it.
    #[graphql(shareable, inaccessible)]
    async fn node(&self, ctx: &Context<'_>, #[graphql(desc = "Id of the object.")] id: ID) -> Option<Result<Node>> {
        Some(find(ctx, &id).await.transpose()?.map(Node::Payment))
    }

    /// For a gateway with ids from other services. The ids of one request are read in one statement.
    #[graphql(entity)]
    async fn find_payment_by_id(&self, ctx: &Context<'_>, id: ID) -> Option<Result<Payment>> {
        let id = match parse_id("id", &id) {
            Ok(id) => PaymentId(id),
            Err(refusal) => return Some(Err(refusal)),
        };
        let row = ctx.data_unchecked::<DataLoader<Loader>>().load_one(id).await;
        Touched::by(ctx).add(row.iter().flatten().map(|row| row.appointment_id));
        row.map_err(Into::into).transpose().map(|row| row.map(Payment::from))
    }

    /// The payments of consultations, which finance knows only by their ids.
    #[graphql(entity)]
    async fn find_consultation_by_id(&self, id: ID) -> Option<Result<Consultation>> {
        Some(parse_id("id", &id).map(Consultation::from))
    }
}

async fn find(ctx: &Context<'_>, id: &ID) -> Result<Option<Payment>> {
    let row = Payments::find_by_id(parse_id("id", id)?).one(&ctx.data_unchecked::<Database>().read).await?;
    Touched::by(ctx).add(row.iter().map(|row| row.appointment_id));
    Ok(row.map(Payment::from))
}

fn matching(filter: PaymentFilter, now: chrono::DateTime<Utc>) -> Result<Select<Payments>> {
    let mut rows = Payments::find();
    if let Some(ids) = filter.appointment_ids {
        if ids.len() > MAX_APPOINTMENTS {
            return Err(bad_user_input(format!("filter.appointmentIds: want at most {MAX_APPOINTMENTS}")));
        }
        rows = rows.filter(Column::AppointmentId.is_in(ids.into_iter().map(|id| id.0)));
    }
    // Ids are made from about the time of recording. So a period is a range of the primary key, filtered exactly.
    if let Some(from) = filter.recorded_from {
        let from = instant("filter.recordedFrom", from)?;
        rows = rows.filter(Column::Id.gte(clock::first_id_at(from - ID_TIME_DIFFERENCE)));
        rows = rows.filter(Column::RecordedAt.gte(from));
    }
    if let Some(before) = filter.recorded_before {
        let before = instant("filter.recordedBefore", before)?;
        rows = rows.filter(Column::Id.lt(clock::first_id_at(before + ID_TIME_DIFFERENCE)));
        rows = rows.filter(Column::RecordedAt.lt(before));
    }
    // Replicas make ids by their own clocks and commit in another order. Others may appear before a younger payment.
    if filter.stable == Some(true) {
        rows = rows.filter(Column::Id.lt(clock::first_id_at(now - APPEARS_WITHIN)));
    }
    Ok(rows)
}

fn instant(argument: &str, time: DateTime) -> Result<chrono::DateTime<Utc>> {
    match time {
        DateTime::Utc(time) => Ok(time),
        DateTime::Local(_) => {
            Err(bad_user_input(format!("{argument}: want an offset, as in 2021-08-02T12:00:00-03:00")))
        }
    }
}
