//! A page of finished consultations, and what should have become of them.

use std::{
    collections::{HashMap, HashSet},
    time::Duration,
};

use entity::{Money, consultation, pending_payment};
use sea_orm::{
    ColumnTrait, ConnectionTrait, DbErr, EntityTrait, FromQueryResult, QueryFilter, QueryOrder, QuerySelect,
    sea_query::{Expr, ExprTrait},
};
use uuid::Uuid;

use super::{Difference, Overdue};
use crate::{
    finance_client::{MAX_PAYMENTS, RecordedPayment},
    outbox::store::now_plus,
};

/// What is in transit for longer deserves a look, although it is still sent: an outage, a refusal, a wrong setting.
const LONG: Duration = Duration::from_hours(1);

/// Consultations in the order of their ids with their prices, and their pending payments.
#[derive(Debug)]
pub(super) struct Page {
    finished: Vec<(Uuid, Money)>,
    pending: HashMap<Uuid, Pending>,
}

/// A pending payment, and whether it is older than [`LONG`], by the database's clock.
#[derive(Debug, FromQueryResult)]
struct Pending {
    #[sea_orm(nested)]
    row: pending_payment::Model,
    is_old: bool,
}

/// What the comparison says of one consultation.
#[derive(Debug)]
pub(super) enum Compared {
    Agrees,
    InTransit,
    InTransitForLong(Overdue),
    Differs(Difference),
}

impl Page {
    /// The page behind `after`, if there is one. The pending payments are read before anyone asks finance:
    /// one that was confirmed by then must be there.
    pub(super) async fn after(database: &impl ConnectionTrait, after: Uuid) -> Result<Option<Self>, DbErr> {
        let finished = consultation::Entity::find()
            .filter(consultation::Column::EndDate.is_not_null())
            .filter(consultation::Column::Id.gt(after))
            .order_by_asc(consultation::Column::Id)
            .limit(MAX_PAYMENTS)
            .all(database)
            .await?;
        if finished.is_empty() {
            return Ok(None);
        }
        let ids = finished.iter().map(|consultation| consultation.id);
        let of_them = pending_payment::Column::AppointmentId.is_in(ids);
        let time = |seconds: f64| now_plus(database.get_database_backend(), Expr::value(seconds));
        let created_at = || Expr::col(pending_payment::Column::CreatedAt);
        // One from the future was created under a clock that was ahead: nobody knows when.
        let is_old = created_at().lt(time(-LONG.as_secs_f64())).or(created_at().gt(time(LONG.as_secs_f64())));
        let pending = pending_payment::Entity::find()
            .filter(of_them)
            .expr_as(is_old, "is_old")
            .into_model::<Pending>()
            .all(database)
            .await?;
        Ok(Some(Self {
            finished: finished.into_iter().filter_map(|finished| Some((finished.id, finished.price_cents?))).collect(),
            pending: pending.into_iter().map(|pending| (pending.row.appointment_id, pending)).collect(),
        }))
    }

    pub(super) fn ids(&self) -> Vec<Uuid> {
        self.finished.iter().map(|(id, _)| *id).collect()
    }

    pub(super) fn last(&self) -> Uuid {
        self.finished.last().map_or(Uuid::max(), |(id, _)| *id)
    }

    pub(super) fn compare(&self, recorded: &[RecordedPayment]) -> impl Iterator<Item = Compared> {
        let recorded: HashMap<_, _> = recorded.iter().map(|payment| (payment.appointment_id, payment)).collect();
        self.finished.iter().map(move |(id, price)| {
            let pending = self.pending.get(id);
            let amounts =
                [pending.map(|pending| pending.row.total_price_cents), recorded.get(id).map(|row| row.total_price)];
            if let Some(amount) = amounts.into_iter().flatten().find(|amount| amount != price) {
                return Compared::Differs(Difference::WrongAmount(*id, *price, amount));
            }
            match (recorded.contains_key(id), pending) {
                // The row of a delivered payment may have left the outbox.
                (true, _) => Compared::Agrees,
                (false, Some(Pending { row, is_old: true })) if !row.finished => {
                    let (since, tries) = (row.created_at, row.tries);
                    Compared::InTransitForLong(Overdue { consultation: *id, price: *price, since, tries })
                }
                (false, Some(Pending { row, .. })) if !row.finished => Compared::InTransit,
                (false, Some(_)) => Compared::Differs(Difference::MissingPayment(*id, *price)),
                (false, None) => Compared::Differs(Difference::NoPendingPayment(*id, *price)),
            }
        })
    }
}

/// Which of the payments are for finished consultations.
pub(super) async fn finished(
    database: &impl ConnectionTrait,
    payments: &[RecordedPayment],
) -> Result<HashSet<Uuid>, DbErr> {
    let ids = payments.iter().map(|payment| payment.appointment_id);
    let finished = consultation::Entity::find()
        .filter(consultation::Column::Id.is_in(ids))
        .filter(consultation::Column::EndDate.is_not_null());
    Ok(finished.all(database).await?.into_iter().map(|consultation| consultation.id).collect())
}
