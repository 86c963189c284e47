//! The contents of both databases and of the clients' log at the end.

use std::{collections::HashMap, time::Duration};

use sea_orm::FromQueryResult;

use crate::{
    client::{Entry, Load},
    store::Store,
    world::World,
};

#[derive(Debug, FromQueryResult)]
pub(crate) struct Consultation {
    pub(crate) id: String,
    /// None while it is in progress, and if it was cancelled.
    pub(crate) price: Option<i64>,
    pub(crate) is_cancelled: bool,
    /// In seconds since 1970, by the database's clock or the client's.
    pub(crate) start: f64,
    pub(crate) end: Option<f64>,
}

#[derive(Debug, FromQueryResult)]
pub(crate) struct Pending {
    pub(crate) id: String,
    pub(crate) appointment: String,
    pub(crate) price: i64,
    pub(crate) finished: bool,
    pub(crate) created_at: f64,
    pub(crate) finished_at: Option<f64>,
}

#[derive(Debug, FromQueryResult)]
pub(crate) struct Payment {
    pub(crate) appointment: String,
    pub(crate) price: i64,
    pub(crate) recorded_at: f64,
}

/// Rows by consultation.
pub(crate) struct Facts {
    pub(crate) consultations: HashMap<String, Consultation>,
    pub(crate) pending: HashMap<String, Vec<Pending>>,
    pub(crate) payments: HashMap<String, Vec<Payment>>,
    /// What clients did and were answered.
    pub(crate) log: Vec<Entry>,
    pub(crate) surprises: Vec<String>,
}

impl Facts {
    pub(crate) async fn read(world: &World) -> anyhow::Result<Self> {
        Self::of(&world.stack.consultation_store, &world.stack.finance_store, &world.load).await
    }

    /// Reads these databases and this load's log.
    pub(crate) async fn of(store: &Store, finance: &Store, load: &Load) -> anyhow::Result<Self> {
        let (id, appointment) = (store.text("id"), store.text("appointment_id"));
        let (created, finished) = (store.seconds("created_at"), store.seconds("finished_at"));
        let recorded = store.seconds("recorded_at");
        let (start, end) = (store.seconds("start_date"), store.seconds("end_date"));
        let consultations = format!(
            "SELECT {id} AS id, price_cents AS price, cancel_reason IS NOT NULL AS is_cancelled, {start} AS \"start\", {end} AS \"end\" FROM consultation"
        );
        let consultations: Vec<Consultation> = store.rows(&consultations).await?;
        let pending = format!(
            "SELECT {id} AS id, {appointment} AS appointment, total_price_cents AS price, finished,
                {created} AS created_at, {finished} AS finished_at FROM pending_payment"
        );
        let pending: Vec<Pending> = store.rows(&pending).await?;
        let payments = format!(
            "SELECT {appointment} AS appointment, total_price_cents AS price, {recorded} AS recorded_at FROM payment"
        );
        let payments: Vec<Payment> = finance.rows(&payments).await?;
        Ok(Self {
            consultations: consultations.into_iter().map(|found| (found.id.clone(), found)).collect(),
            pending: grouped(pending, |pending| &pending.appointment),
            payments: grouped(payments, |payment| &payment.appointment),
            log: load.log(),
            surprises: load.surprises.lock().expect("surprises").clone(),
        })
    }

    pub(crate) fn pending_of(&self, consultation: &str) -> &[Pending] {
        self.pending.get(consultation).map_or(&[], Vec::as_slice)
    }

    pub(crate) fn payments_of(&self, consultation: &str) -> &[Payment] {
        self.payments.get(consultation).map_or(&[], Vec::as_slice)
    }

    /// Times from finish to confirmation, shortest first, of finishes in `period` (seconds since 1970).
    pub(crate) fn latencies(&self, period: std::ops::Range<f64>) -> Vec<Duration> {
        let pending = self.pending.values().flatten().filter(|pending| period.contains(&pending.created_at));
        let latencies = pending.filter_map(|pending| Some(pending.finished_at? - pending.created_at));
        let mut latencies: Vec<_> = latencies.map(|seconds| Duration::from_secs_f64(seconds.max(0.0))).collect();
        latencies.sort_unstable();
        latencies
    }
}

fn grouped<T>(rows: Vec<T>, key: impl Fn(&T) -> &String) -> HashMap<String, Vec<T>> {
    let mut groups: HashMap<String, Vec<T>> = HashMap::new();
    for row in rows {
        groups.entry(key(&row).clone()).or_default().push(row);
    }
    groups
}
