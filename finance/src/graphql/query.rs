//! Reading payments.

use async_graphql::{Context, ID, Object, Result};
use graphql_http::{
    complexity::{nodes_cost, page_cost},
    connection::Connection,
    observer::Touched,
    refusal::parse_id,
    scalars,
};

use super::{
    lists,
    loader::{PaymentId, SharedLoader},
    nodes,
    types::{Consultation, Node, Payment, PaymentFilter, PaymentOrder},
};
use crate::store;

#[derive(Debug)]
pub struct Query;

/// Reading payments.
// `Option<Result<T>>`, not the other way round: a fault then nulls its own field, not those beside it.
#[Object]
impl Query {
    /// Returns a payment by its id or by its appointment, or null if there is none.
    async fn payment(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Id of the payment. Give this or `appointmentId`.")] id: Option<ID>,
        #[graphql(desc = "Id of the consultation that is paid for. Give this or `id`.")] appointment_id: Option<
            scalars::Uuid,
        >,
    ) -> Option<Result<Payment>> {
        nodes::payment(ctx, id, appointment_id).await.transpose()
    }

    /// Lists payments in the order in which they were recorded. By default the 20 oldest. A payment that is recorded at
    /// the same time as others may appear before them: to poll for new payments, filter the `stable` ones.
    #[graphql(complexity = "page_cost(__ctx, __variables_definition, __field, child_complexity)")]
    #[expect(clippy::too_many_arguments, reason = "they are the arguments of Relay's connections")]
    async fn payments(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Conditions. All payments by default.")] filter: Option<PaymentFilter>,
        #[graphql(desc = "Order. Oldest first by default.")] order_by: Option<PaymentOrder>,
        #[graphql(desc = "Number of items from the start of the list, 1 to 100.")] first: Option<i32>,
        #[graphql(desc = "Returns the items after this cursor.")] after: Option<String>,
        #[graphql(desc = "Number of items from the end of the list, 1 to 100.")] last: Option<i32>,
        #[graphql(desc = "Returns the items before this cursor.")] before: Option<String>,
    ) -> Result<Connection<Payment>> {
        lists::payments(ctx, filter, order_by, (first, after, last, before)).await
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
        Some(nodes::payment(ctx, Some(id), None).await.transpose()?.map(Node::Payment))
    }

    /// Returns objects of this service by their ids, in the same order; null for each id that none has.
    #[graphql(
        shareable,
        inaccessible,
        complexity = "nodes_cost(__ctx, __variables_definition, __field, child_complexity)"
    )]
    async fn nodes(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Ids of the objects, at most 100.")] ids: Vec<ID>,
    ) -> Result<Vec<Option<Node>>> {
        nodes::nodes(ctx, &ids).await
    }

    /// For a gateway with ids from other services. The ids of one request are read in one statement.
    #[graphql(entity)]
    async fn find_payment_by_id(&self, ctx: &Context<'_>, id: ID) -> Option<Result<Payment>> {
        let id = match parse_id("id", &id) {
            Ok(id) => PaymentId(id),
            Err(refusal) => return Some(Err(refusal)),
        };
        let row = ctx.data_unchecked::<SharedLoader>().load_one(id).await;
        Touched::by(ctx).add(row.iter().flatten().map(|row| row.appointment_id));
        row.map_err(Into::into).transpose().map(|row| row.map(Payment::from))
    }

    /// The payments of consultations, which finance knows only by their ids.
    #[graphql(entity)]
    async fn find_consultation_by_id(&self, id: ID) -> Option<Result<Consultation>> {
        Some(parse_id("id", &id).map(Consultation::from))
    }
}
