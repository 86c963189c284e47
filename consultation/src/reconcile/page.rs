//! A page of finished consultations, compared with their pending payments and finance's payments.

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

use super::{Difference, Overdue, SettledConflict};
use crate::{
    finance_client::{MAX_PAYMENTS, RecordedPayment},
    outbox::store::{Lost, now_plus_seconds},
};

/// A payment in transit for longer is late, because of an outage, a refusal or a wrong setting. It is still sent.
const LATE_AFTER: Duration = Duration::from_hours(1);

/// Consultations with their prices in the order of their ids, and their pending payments.
#[derive(Debug)]
pub(super) struct Page {
    finished: Vec<(Uuid, Money)>,
    pending: HashMap<Uuid, Pending>,
}

/// A pending payment, and whether it is older than [`LATE_AFTER`], by the database's clock.
#[derive(Debug, FromQueryResult)]
struct Pending {
    #[sea_orm(nested)]
    row: pending_payment::Model,
    is_old: bool,
}

/// The comparison of one consultation.
#[derive(Debug)]
pub(super) enum Compared {
    Agrees,
    InTransit,
    InTransitForLong(Overdue),
    Settled(SettledConflict),
    /// Finance has lost the payment of this amount.
    Lost(Lost, Money, Difference),
    Differs(Difference),
}

impl Page {
    /// Reads the page after the id `after`, if there is one. The pending payments are read before finance is asked:
    /// finance must have those that are confirmed by then.
    pub(super) async fn after(database: &impl ConnectionTrait, after: Uuid) -> Result<Option<Self>, DbErr> {
        let finished = consultation::Entity::find_finished()
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
        let time = |seconds: f64| now_plus_seconds(database.get_database_backend(), Expr::value(seconds));
        let created_at = || Expr::col(pending_payment::Column::CreatedAt);
        // A row created in the future was written under a clock that was ahead: its age is unknown.
        let is_old =
            created_at().lt(time(-LATE_AFTER.as_secs_f64())).or(created_at().gt(time(LATE_AFTER.as_secs_f64())));
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
            let recorded = recorded.get(id).map(|payment| payment.total_price);
            compare(*id, *price, self.pending.get(id), recorded)
        })
    }
}

/// The amount of a settled payment is the one that finance had then; of others it is the price.
fn compare(consultation: Uuid, price: Money, pending: Option<&Pending>, recorded: Option<Money>) -> Compared {
    let row = pending.map(|pending| &pending.row);
    let amount = row.map_or(price, pending_payment::Model::amount);
    let pending_price = row.map(|row| row.total_price_cents).filter(|pending| *pending != price);
    if let Some(other) = pending_price {
        return Compared::Differs(Difference::WrongAmount(consultation, price, other));
    }
    let is_delivered = row.is_none_or(|row| row.finished);
    let lost = Lost { consultation, price, redeliveries: row.map(|row| row.redeliveries) };
    match (recorded, row) {
        (Some(other), _) if other != amount => {
            let difference = Difference::WrongAmount(consultation, amount, other);
            if is_delivered { Compared::Lost(lost, amount, difference) } else { Compared::Differs(difference) }
        }
        // The row of a delivered payment may have been deleted. A settled one stays. By the price nothing differs.
        (Some(recorded), _) => match row.and_then(|row| row.settled_at) {
            Some(at) if recorded != price => Compared::Settled(SettledConflict { consultation, price, recorded, at }),
            _ => Compared::Agrees,
        },
        (None, Some(row)) if !row.finished => in_transit(row, price, pending.is_some_and(|pending| pending.is_old)),
        (None, Some(_)) => Compared::Lost(lost, amount, Difference::MissingPayment(consultation, amount)),
        (None, None) => Compared::Lost(lost, amount, Difference::NoPendingPayment(consultation, amount)),
    }
}

fn in_transit(row: &pending_payment::Model, price: Money, is_old: bool) -> Compared {
    let (consultation, since, tries) = (row.appointment_id, row.created_at, row.tries);
    if is_old { Compared::InTransitForLong(Overdue { consultation, price, since, tries }) } else { Compared::InTransit }
}

/// The consultations of these payments that are finished.
pub(super) async fn finished(
    database: &impl ConnectionTrait,
    payments: &[RecordedPayment],
) -> Result<HashSet<Uuid>, DbErr> {
    let ids = payments.iter().map(|payment| payment.appointment_id);
    let finished = consultation::Entity::find_finished().filter(consultation::Column::Id.is_in(ids));
    Ok(finished.all(database).await?.into_iter().map(|consultation| consultation.id).collect())
}
