//! Reading consultations and their pending payments.

use async_graphql::{Context, ID, Object, Result, dataloader::DataLoader};
use chassis::database::{
    Database,
    paging::{self, Count},
};
use entity::{consultation, pending_payment};
use graphql_http::{
    complexity::page_cost,
    connection::{Connection, Page},
    observer::Touched,
    refusal::parse_id,
};
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, QueryTrait, Select};

use super::loader::{ConsultationId, Loader};
use super::types::{
    Consultation, ConsultationFilter, ConsultationOrder, ConsultationStatus, Node, OrderDirection, PendingPayment,
    PendingPaymentFilter, PendingPaymentStatus,
};
use crate::outbox::{State, undelivered};

#[derive(Debug)]
pub struct Query;

/// Reading consultations and their pending payments.
// `Option<Result<T>>`, not the other way round: a fault then nulls its own field, not those beside it.
#[Object]
impl Query {
    /// Returns a consultation, or null if none has this id.
    async fn consultation(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Id of the consultation.")] id: ID,
    ) -> Option<Result<Consultation>> {
        find(ctx, &id).await.transpose()
    }

    /// Lists consultations in the order of their starts. By default the 20 oldest.
    #[graphql(complexity = "page_cost(__ctx, __variables_definition, __field, child_complexity)")]
    #[expect(clippy::too_many_arguments, reason = "they are the arguments of Relay's connections")]
    async fn consultations(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Conditions. All consultations by default.")] filter: Option<ConsultationFilter>,
        #[graphql(desc = "Order. Oldest first by default.")] order_by: Option<ConsultationOrder>,
        #[graphql(desc = "Number of items from the start of the list, 1 to 100.")] first: Option<i32>,
        #[graphql(desc = "Returns the items after this cursor.")] after: Option<String>,
        #[graphql(desc = "Number of items from the end of the list, 1 to 100.")] last: Option<i32>,
        #[graphql(desc = "Returns the items before this cursor.")] before: Option<String>,
    ) -> Result<Connection<Consultation>> {
        let mut page = Page::new("consultations", first, after, last, before)?;
        page.descending = order_by.is_some_and(|order| order.direction == OrderDirection::Desc);
        let (rows, count) = consultations(&filter.unwrap_or_default());
        // Ids are made from the start date. Their order is the order of the starts.
        let database = ctx.data_unchecked::<Database>();
        let page: Connection<Consultation> =
            paging::load(page, rows, count, consultation::Column::Id, database, |row| row.id).await?;
        Touched::by(ctx).add(page.edges.iter().map(|edge| edge.node.row_id));
        Ok(page)
    }

    /// Lists payments on their way to finance, in the order in which their consultations were finished. By default the
    /// 20 oldest.
    #[graphql(complexity = "page_cost(__ctx, __variables_definition, __field, child_complexity)")]
    async fn pending_payments(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Conditions. All pending payments by default.")] filter: Option<PendingPaymentFilter>,
        #[graphql(desc = "Number of items from the start of the list, 1 to 100.")] first: Option<i32>,
        #[graphql(desc = "Returns the items after this cursor.")] after: Option<String>,
        #[graphql(desc = "Number of items from the end of the list, 1 to 100.")] last: Option<i32>,
        #[graphql(desc = "Returns the items before this cursor.")] before: Option<String>,
    ) -> Result<Connection<PendingPayment>> {
        let page = Page::new("pendingPayments", first, after, last, before)?;
        let (rows, count) = pending_payments(&filter.unwrap_or_default());
        let database = ctx.data_unchecked::<Database>();
        let page: Connection<PendingPayment> =
            paging::load(page, rows, count, pending_payment::Column::Id, database, |row| row.id).await?;
        Touched::by(ctx).add(page.edges.iter().map(|edge| edge.node.appointment_id));
        Ok(page)
    }

    /// Returns an object of this service by its id, or null if none has it.
    #[graphql(shareable, inaccessible)]
    async fn node(&self, ctx: &Context<'_>, #[graphql(desc = "Id of the object.")] id: ID) -> Option<Result<Node>> {
        Some(find(ctx, &id).await.transpose()?.map(Node::Consultation))
    }

    /// For a gateway with ids from other services. The ids of one request are read in one statement.
    #[graphql(entity)]
    async fn find_consultation_by_id(&self, ctx: &Context<'_>, id: ID) -> Option<Result<Consultation>> {
        let id = match parse_id("id", &id) {
            Ok(id) => ConsultationId(id),
            Err(refusal) => return Some(Err(refusal)),
        };
        let row = ctx.data_unchecked::<DataLoader<Loader>>().load_one(id).await;
        Touched::by(ctx).add(row.iter().flatten().map(|row| row.id));
        row.map_err(Into::into).transpose().map(|row| row.map(Consultation::from))
    }
}

async fn find(ctx: &Context<'_>, id: &ID) -> Result<Option<Consultation>> {
    let row = consultation::Entity::find_by_id(parse_id("id", id)?);
    let row = row.one(&ctx.data_unchecked::<Database>().read).await?;
    Touched::by(ctx).add(row.iter().map(|row| row.id));
    Ok(row.map(Consultation::from))
}

/// The consultations that match, and their count. Finished ones grow without bound, so they are not counted one by one.
fn consultations(filter: &ConsultationFilter) -> (Select<consultation::Entity>, Count) {
    use consultation::Column::{CancelReason, EndDate, PatientId, PhysicianId, PriceCents};
    let rows = consultation::Entity::find()
        .apply_if(filter.physician_id, |rows, id| rows.filter(PhysicianId.eq(id.0)))
        .apply_if(filter.patient_id, |rows, id| rows.filter(PatientId.eq(id.0)))
        .apply_if(filter.status, |rows, status| match status {
            ConsultationStatus::InProgress => rows.filter(EndDate.is_null()),
            ConsultationStatus::Finished => rows.filter(PriceCents.is_not_null()),
            ConsultationStatus::Cancelled => rows.filter(CancelReason.is_not_null()),
        });
    let all = || Count::kept_of(consultation::Entity);
    let is_anyones = filter.physician_id.is_none() && filter.patient_id.is_none();
    let count = match filter.status {
        None if is_anyones => all(),
        Some(ConsultationStatus::Finished) if is_anyones => {
            let others = [consultation::Entity::find_in_progress(), consultation::Entity::find_cancelled()];
            others.iter().fold(all(), |count, others| count.without(Count::of(others)))
        }
        _ => Count::of(&rows),
    };
    (rows, count)
}

/// The pending payments that match, and their count. Finished ones grow without bound, so they are not counted one by
/// one.
fn pending_payments(filter: &PendingPaymentFilter) -> (Select<pending_payment::Entity>, Count) {
    let all = || Count::kept_of(pending_payment::Entity);
    let Some(status) = filter.status else { return (pending_payment::Entity::find(), all()) };
    let rows = State::from(status).rows();
    let count = match status {
        PendingPaymentStatus::Finished => all().without(Count::of(&undelivered())),
        _ => Count::of(&rows),
    };
    (rows, count)
}
