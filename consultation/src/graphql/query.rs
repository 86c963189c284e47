//! Reading consultations and their pending payments.

use async_graphql::{Context, ID, Object, Result};
use graphql_http::{
    complexity::{nodes_cost, page_cost},
    connection::Connection,
    observer::Touched,
    refusal::parse_id,
};

use super::{
    lists,
    loader::{ConsultationId, SharedLoader},
    nodes,
    types::{
        Consultation, ConsultationFilter, ConsultationOrder, Node, PendingPayment, PendingPaymentFilter,
        PendingPaymentOrder,
    },
};

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
        nodes::consultation(ctx, &id).await.transpose()
    }

    /// Lists consultations in the order of their starts or their ends. By default the 20 that started first.
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
        lists::consultations(ctx, filter, order_by, (first, after, last, before)).await
    }

    /// Lists payments on their way to finance, in the order in which their consultations were finished. By default the
    /// 20 oldest.
    #[graphql(complexity = "page_cost(__ctx, __variables_definition, __field, child_complexity)")]
    #[expect(clippy::too_many_arguments, reason = "they are the arguments of Relay's connections")]
    async fn pending_payments(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Conditions. All pending payments by default.")] filter: Option<PendingPaymentFilter>,
        #[graphql(desc = "Order. Oldest first by default.")] order_by: Option<PendingPaymentOrder>,
        #[graphql(desc = "Number of items from the start of the list, 1 to 100.")] first: Option<i32>,
        #[graphql(desc = "Returns the items after this cursor.")] after: Option<String>,
        #[graphql(desc = "Number of items from the end of the list, 1 to 100.")] last: Option<i32>,
        #[graphql(desc = "Returns the items before this cursor.")] before: Option<String>,
    ) -> Result<Connection<PendingPayment>> {
        lists::pending_payments(ctx, filter, order_by, (first, after, last, before)).await
    }

    /// Returns an object of this service by its id, or null if none has it.
    #[graphql(shareable, inaccessible)]
    async fn node(&self, ctx: &Context<'_>, #[graphql(desc = "Id of the object.")] id: ID) -> Option<Result<Node>> {
        nodes::node(ctx, &id).await.transpose()
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
    async fn find_consultation_by_id(&self, ctx: &Context<'_>, id: ID) -> Option<Result<Consultation>> {
        let id = match parse_id("id", &id) {
            Ok(id) => ConsultationId(id),
            Err(refusal) => return Some(Err(refusal)),
        };
        let row = ctx.data_unchecked::<SharedLoader>().load_one(id).await;
        Touched::by(ctx).add(row.iter().flatten().map(|row| row.id));
        row.map_err(Into::into).transpose().map(|row| row.map(Consultation::from))
    }
}
