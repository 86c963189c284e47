//! An outbox with rows that are due, and a relay for it.

use std::time::Duration;

use chassis::{changes::Changes, clock};
use consultation::{
    config::FinanceTarget,
    finance_client::FinanceClient,
    outbox::{
        Policy, Relay, Tick, WakeUp,
        store::{Due, now_plus},
    },
};
use entity::{Currency, Money, consultation as consultations, pending_payment};
use migration::consultation::Migrator;
use sea_orm::{ActiveValue::Set, ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter, sea_query::Query};
use testkit::{Backend, TestDatabase};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use crate::finance_stub::FinanceStub;

pub(crate) const LEASE: Duration = Duration::from_secs(30);

/// The currency of prices.
pub(crate) fn currency() -> Currency {
    "BRL".parse().expect("a currency")
}

/// An outbox with `payments` that are due.
pub(crate) async fn outbox(backend: Backend, payments: usize) -> Option<TestDatabase> {
    let db = TestDatabase::empty(backend).await?;
    db.database.migrate::<Migrator>().await.expect("migrated");
    let now = clock::now();
    let ids: Vec<_> = (0..payments).map(|_| (clock::id_at(now), clock::id_at(now))).collect();
    if payments > 0 {
        let finished = ids.iter().map(|(_, consultation_id)| consultations::ActiveModel {
            id: Set(*consultation_id),
            physician_id: Set(Uuid::new_v4()),
            patient_id: Set(Uuid::new_v4()),
            start_date: Set(now - Duration::from_mins(1)),
            end_date: Set(Some(now)),
            price_cents: Set(Some(Money::MAX)),
            started_by: Set(None),
            finished_by: Set(None),
            ..Default::default()
        });
        consultations::Entity::insert_many(finished).exec(&db.database.write).await.expect("inserted");
        enqueue(&db.database.write, &ids).await;
    }
    Some(db)
}

/// Adds pending payments that are due now, by their ids and those of their consultations.
pub(crate) async fn enqueue(database: &impl ConnectionTrait, ids: &[(Uuid, Uuid)]) {
    use pending_payment::Column::{AppointmentId, CreatedAt, Id, NextAttemptAt, TotalPriceCents};
    let now = || now_plus(database.get_database_backend(), Duration::ZERO);
    let columns = [Id, AppointmentId, TotalPriceCents, NextAttemptAt, CreatedAt];
    let mut insert = Query::insert().into_table(pending_payment::Entity).columns(columns).to_owned();
    for (id, consultation_id) in ids {
        insert.values_panic([(*id).into(), (*consultation_id).into(), Money::MAX.cents().into(), now(), now()]);
    }
    database.execute(&insert).await.expect("enqueued");
}

pub(crate) fn relay(db: &TestDatabase, finance: &FinanceStub) -> Relay {
    let policy = Policy { request_timeout: Duration::from_secs(5), ..Policy::new(Duration::from_mins(1)) };
    let url = finance.url().parse().expect("a URL");
    let target = FinanceTarget::in_development(url);
    let client = FinanceClient::new(target, currency(), policy.request_timeout).expect("a client");
    Relay::new(db.database.clone(), client, policy, WakeUp::default(), Changes::new("consultation_changed").0)
}

pub(crate) async fn tick(relay: &Relay) -> Tick {
    relay.tick(Due::All, &CancellationToken::new()).await.expect("a tick")
}

pub(crate) async fn rows(db: &TestDatabase) -> Vec<pending_payment::Model> {
    pending_payment::Entity::find().all(&db.database.read).await.expect("rows")
}

pub(crate) async fn row(db: &TestDatabase) -> pending_payment::Model {
    rows(db).await.remove(0)
}

/// Moves a time of these rows ahead, as if the database's clock had been set back since.
pub(crate) async fn strand(db: &TestDatabase, ids: &[Uuid], column: pending_payment::Column, ahead: Duration) {
    let database = &db.database.write;
    let then = now_plus(database.get_database_backend(), ahead);
    let set = pending_payment::Entity::update_many().col_expr(column, then);
    let set = set.filter(pending_payment::Column::Id.is_in(ids.iter().copied()));
    set.exec(database).await.expect("stranded");
}

/// Moves a time of every row to now, as if it had come.
pub(crate) async fn come(db: &TestDatabase, column: pending_payment::Column) {
    let database = &db.database.write;
    let now = now_plus(database.get_database_backend(), Duration::ZERO);
    let all = pending_payment::Entity::update_many().col_expr(column, now);
    let unfinished = all.filter(pending_payment::Column::Finished.eq(false));
    let set = if matches!(column, pending_payment::Column::LeaseUntil) {
        unfinished.filter(pending_payment::Column::Processing.eq(true))
    } else {
        unfinished
    };
    set.exec(database).await.expect("updated");
}
