//! The adoption of payments without a consultation, which was lost when this service was restored from an older backup:
//! each gets a finished consultation with its price. Everything else about it is lost, or follows from the payment.

use std::collections::HashMap;

use chassis::{
    clock,
    database::{Connections, Database, is_one_of},
};
use chrono::{DateTime, SubsecRound, TimeDelta, Utc};
use entity::{
    Money,
    consultation::{self, Origin},
    pending_payment,
};
use sea_orm::{
    ActiveValue::Set,
    ColumnTrait, ConnectionTrait, DbErr, EntityTrait, QueryFilter, QueryOrder, QuerySelect, Select,
    sea_query::{LockType, OnConflict},
};
use uuid::Uuid;

use crate::finance_client::RecordedPayment;

/// Greatest age of the time in an id as the start. An outage of finance lies between the end of a consultation and its
/// payment, and older ids were not made at a start.
const LONGEST_PLAUSIBLE: TimeDelta = TimeDelta::days(31);
/// Length of a consultation whose start is unknown: a start is needed, and an invented hour would look like a fact.
const UNKNOWN_LENGTH: TimeDelta = TimeDelta::seconds(1);

/// A consultation that a payment without one has got.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Adoption {
    /// Its finish was lost. Otherwise all of it was lost.
    pub was_in_progress: bool,
    /// Id of the consultation.
    pub consultation: Uuid,
    /// Price of the consultation: the amount of its payment.
    pub price: Money,
    /// Start of the consultation.
    pub start: DateTime<Utc>,
    /// End of the consultation: when its payment was recorded.
    pub end: DateTime<Utc>,
}

/// Reads what [`adopt`] would write.
pub(super) async fn plan(database: &Connections, strangers: &[RecordedPayment]) -> Result<Vec<Adoption>, DbErr> {
    let there = by_id(of(database, strangers).all(database).await?);
    let adoptable = strangers.iter().filter_map(|payment| match there.get(&payment.appointment_id) {
        Some(row) if row.end_date.is_some() => None,
        row => Some(Adoption::of(payment, row)),
    });
    Ok(adoptable.collect())
}

/// Adopts payments in one transaction. Returns what was written: one whose consultation was cancelled or finished is left
/// alone.
pub(super) async fn adopt(
    database: &Database,
    strangers: &[RecordedPayment],
    by: &str,
) -> Result<Vec<Adoption>, DbErr> {
    let transaction = database.begin().await?;
    // The locks come in one order, before the updates. A finish of one of them comes before or finds it finished.
    let locked = of(&transaction, strangers).order_by_asc(consultation::Column::Id).lock(LockType::NoKeyUpdate);
    let there = by_id(locked.all(&transaction).await?);
    let mut adopted = Vec::new();
    for payment in strangers {
        let adoption = Adoption::of(payment, there.get(&payment.appointment_id));
        let is_written = match there.get(&payment.appointment_id) {
            None => insert(&transaction, &adoption, by).await?,
            Some(row) if row.end_date.is_none() => finish(&transaction, &adoption, by).await?,
            Some(_) => false,
        };
        if is_written {
            enqueue_delivered(&transaction, &adoption).await?;
            adopted.push(adoption);
        }
    }
    transaction.commit().await?;
    Ok(adopted)
}

/// The consultations of these payments.
fn of(database: &impl ConnectionTrait, payments: &[RecordedPayment]) -> Select<consultation::Entity> {
    let ids = payments.iter().map(|payment| payment.appointment_id);
    let of_them = is_one_of(database.get_database_backend(), consultation::Column::Id, ids);
    consultation::Entity::find().filter(of_them)
}

fn by_id(rows: Vec<consultation::Model>) -> HashMap<Uuid, consultation::Model> {
    rows.into_iter().map(|row| (row.id, row)).collect()
}

impl Adoption {
    fn of(payment: &RecordedPayment, there: Option<&consultation::Model>) -> Self {
        let recorded_at = payment.recorded_at.trunc_subsecs(3);
        let (start, end) = match there {
            // The end must be later than the start, also if the clocks of the databases differ.
            Some(row) => (row.start_date, recorded_at.max(row.start_date + TimeDelta::milliseconds(1))),
            None => (start(payment.appointment_id, recorded_at), recorded_at),
        };
        let (consultation, price) = (payment.appointment_id, payment.total_price);
        Self { was_in_progress: there.is_some(), consultation, price, start, end }
    }
}

/// The time in a UUIDv7, if a consultation that ended then may have started at it.
fn start(id: Uuid, end: DateTime<Utc>) -> DateTime<Utc> {
    let made = clock::time_of(id).filter(|_| id.get_version_num() == 7);
    made.filter(|made| *made < end && end - *made <= LONGEST_PLAUSIBLE).unwrap_or(end - UNKNOWN_LENGTH)
}

/// Returns whether nobody else has inserted it meanwhile.
async fn insert(transaction: &impl ConnectionTrait, adoption: &Adoption, by: &str) -> Result<bool, DbErr> {
    let row = consultation::ActiveModel {
        id: Set(adoption.consultation),
        physician_id: Set(Uuid::nil()),
        patient_id: Set(Uuid::nil()),
        start_date: Set(adoption.start),
        end_date: Set(Some(adoption.end)),
        price_cents: Set(Some(adoption.price)),
        finished_by: Set(Some(by.to_owned())),
        origin: Set(Some(Origin::Adopted)),
        ..Default::default()
    };
    let insert = consultation::Entity::insert(row);
    let insert = insert.on_conflict(OnConflict::column(consultation::Column::Id).do_nothing().to_owned());
    Ok(insert.exec_without_returning(transaction).await? > 0)
}

async fn finish(transaction: &impl ConnectionTrait, adoption: &Adoption, by: &str) -> Result<bool, DbErr> {
    use consultation::Column::{EndDate, Id};
    let ended = consultation::ActiveModel {
        end_date: Set(Some(adoption.end)),
        price_cents: Set(Some(adoption.price)),
        finished_by: Set(Some(by.to_owned())),
        ..Default::default()
    };
    let in_progress = consultation::Entity::update_many().set(ended).filter(EndDate.is_null());
    Ok(in_progress.filter(Id.eq(adoption.consultation)).exec(transaction).await?.rows_affected > 0)
}

/// The pending payment of what finance has: it is finished from the start.
async fn enqueue_delivered(transaction: &impl ConnectionTrait, adoption: &Adoption) -> Result<(), DbErr> {
    let row = pending_payment::ActiveModel {
        id: Set(clock::new_id()),
        appointment_id: Set(adoption.consultation),
        total_price_cents: Set(adoption.price),
        finished: Set(true),
        next_attempt_at: Set(adoption.end),
        created_at: Set(adoption.end),
        finished_at: Set(Some(adoption.end)),
        ..Default::default()
    };
    pending_payment::Entity::insert(row).exec_without_returning(transaction).await.map(drop)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_start_is_the_time_in_the_id_if_that_is_plausible() {
        let end = DateTime::from_timestamp_millis(1_627_905_600_123).expect("a time");
        let ago = |before: TimeDelta| start(clock::id_at(end - before), end);
        assert_eq!(ago(TimeDelta::minutes(30)), end - TimeDelta::minutes(30));
        assert_eq!(ago(LONGEST_PLAUSIBLE), end - LONGEST_PLAUSIBLE, "finance was away for long");
        for implausible in [LONGEST_PLAUSIBLE + TimeDelta::milliseconds(1), TimeDelta::zero(), -TimeDelta::hours(1)] {
            assert_eq!(ago(implausible), end - UNKNOWN_LENGTH);
        }
        assert_eq!(start(Uuid::new_v4(), end), end - UNKNOWN_LENGTH);
    }
}
