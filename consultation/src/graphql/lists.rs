//! The lists of the API: their arguments as conditions and order.

use async_graphql::{Context, Result};
use chassis::database::{Database, paging};
use chrono_tz::Tz;
use entity::{consultation, pending_payment};
use graphql_http::{
    connection::{Connection, Key, List, Page},
    observer::Touched,
    refusal::{bad_user_input, parse_ids},
    scalars::{DateTime, Uuid},
};
use sea_orm::ConnectionTrait;

use super::types::{
    Consultation, ConsultationFilter, ConsultationOrder, ConsultationOrderField, ConsultationStatus, OrderDirection,
    PendingPayment, PendingPaymentFilter, PendingPaymentOrder,
};
use crate::{
    end_date,
    lists::{self, By, Conditions, Progress},
};

/// Relay's arguments of a page: `first`, `after`, `last`, `before`.
pub(super) type Range = (Option<i32>, Option<String>, Option<i32>, Option<String>);

pub(super) async fn consultations(
    ctx: &Context<'_>,
    filter: Option<ConsultationFilter>,
    order_by: Option<ConsultationOrder>,
    (first, after, last, before): Range,
) -> Result<Connection<Consultation>> {
    let by = order_by.as_ref().map_or(By::Start, |order| order.field.into());
    let descending = order_by.is_some_and(|order| order.direction == OrderDirection::Desc);
    let ordered_by = match by {
        By::Start => "START_DATE",
        By::End => "END_DATE",
    };
    let page = Page::new(List { field: "consultations", ordered_by, descending }, first, after, last, before)?;
    let database = ctx.data_unchecked::<Database>();
    let conditions = filter.unwrap_or_default().conditions(*ctx.data_unchecked::<Tz>())?;
    let backend = database.read.get_database_backend();
    let rows = conditions.rows(by, backend).map_err(|refusal| bad_user_input(format!("orderBy: {refusal}")))?;
    let count = conditions.count(by, &rows);
    let key = |row: &consultation::Model| {
        let end = row.end_date.filter(|_| by == By::End);
        Key { time: end.unwrap_or(row.start_date), id: row.id }
    };
    let order = (conditions.time(by, backend), consultation::Column::Id);
    let page: Connection<Consultation> = paging::load(page, rows, count, order, database, key).await?;
    Touched::by(ctx).add(page.edges.iter().map(|edge| edge.node.row_id));
    Ok(page)
}

pub(super) async fn pending_payments(
    ctx: &Context<'_>,
    filter: Option<PendingPaymentFilter>,
    order_by: Option<PendingPaymentOrder>,
    (first, after, last, before): Range,
) -> Result<Connection<PendingPayment>> {
    let descending = order_by.is_some_and(|order| order.direction == OrderDirection::Desc);
    let order = List { field: "pendingPayments", ordered_by: "CREATED_AT", descending };
    let page = Page::new(order, first, after, last, before)?;
    let database = ctx.data_unchecked::<Database>();
    let PendingPaymentFilter { status, consultation_ids } = filter.unwrap_or_default();
    let ids = consultation_ids.map(|ids| parse_ids("filter.consultationIds", &ids)).transpose()?;
    let backend = database.read.get_database_backend();
    let (rows, time, count) = lists::pending_payments(status.map(Into::into), ids, backend);
    let key = |row: &pending_payment::Model| Key { time: row.created_at, id: row.id };
    let page: Connection<PendingPayment> =
        paging::load(page, rows, count, (time, pending_payment::Column::Id), database, key).await?;
    Touched::by(ctx).add(page.edges.iter().map(|edge| edge.node.appointment_id));
    Ok(page)
}

impl ConsultationFilter {
    fn conditions(self, time_zone: Tz) -> Result<Conditions> {
        let at = |argument: &str, date: Option<DateTime>| {
            date.map(|date| end_date::at(date, time_zone, argument).map_err(bad_user_input)).transpose()
        };
        Ok(Conditions {
            physician_id: self.physician_id.map(|Uuid(id)| id),
            patient_id: self.patient_id.map(|Uuid(id)| id),
            progress: self.status.map(Progress::from),
            ids: self.ids.map(|ids| parse_ids("filter.ids", &ids)).transpose()?,
            started_from: at("filter.startedFrom", self.started_from)?,
            started_until: at("filter.startedUntil", self.started_until)?,
        })
    }
}

impl From<ConsultationStatus> for Progress {
    fn from(status: ConsultationStatus) -> Self {
        match status {
            ConsultationStatus::InProgress => Self::InProgress,
            ConsultationStatus::Finished => Self::Finished,
            ConsultationStatus::Cancelled => Self::Cancelled,
        }
    }
}

impl From<ConsultationOrderField> for By {
    fn from(field: ConsultationOrderField) -> Self {
        match field {
            ConsultationOrderField::StartDate => Self::Start,
            ConsultationOrderField::EndDate => Self::End,
        }
    }
}
