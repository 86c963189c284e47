//! Payments by their ids, or one by its appointment.

use async_graphql::{Context, ID, Result};
use chassis::database::Database;
use entity::payment::{Column, Entity as Payments};
use graphql_http::{
    observer::Touched,
    refusal::{bad_user_input, parse_id, parse_ids},
    scalars,
};
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter};

use super::{
    loader::{PaymentId, SharedLoader},
    types::{Node, Payment},
};

pub(super) async fn payment(
    ctx: &Context<'_>,
    id: Option<ID>,
    appointment_id: Option<scalars::Uuid>,
) -> Result<Option<Payment>> {
    let this = match (id, appointment_id) {
        (Some(id), None) => Column::Id.eq(parse_id("id", &id)?),
        (None, Some(appointment)) => Column::AppointmentId.eq(appointment.0),
        _ => return Err(bad_user_input("id, appointmentId: give one of them")),
    };
    let row = Payments::find().filter(this).one(&ctx.data_unchecked::<Database>().read).await?;
    Touched::by(ctx).add(row.iter().map(|row| row.appointment_id));
    Ok(row.map(Payment::from))
}

/// The payments in the order of the ids, read in one statement.
pub(super) async fn nodes(ctx: &Context<'_>, ids: &[ID]) -> Result<Vec<Option<Node>>> {
    let ids = parse_ids("ids", ids)?;
    let rows = ctx.data_unchecked::<SharedLoader>().load_many(ids.iter().copied().map(PaymentId)).await?;
    Touched::by(ctx).add(rows.values().map(|row| row.appointment_id));
    let node = |id| rows.get(&PaymentId(id)).cloned().map(|row| Node::Payment(row.into()));
    Ok(ids.into_iter().map(node).collect())
}
