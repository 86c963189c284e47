//! The clinic's software at its front desk: it starts, finishes, cancels, and settles what finance refuses.

use std::time::Instant;

use chrono::{DateTime, TimeDelta, Utc};
use futures_util::future::join_all;
use serde_json::{Value, json};
use testkit::GraphqlClient;
use uuid::Uuid;

use super::ledger::{Ending, Ledger, Visit};
use crate::{
    cluster::Cluster,
    delivery::{POLL_INTERVAL, TEST_TIMEOUT},
};

const START: &str = "mutation ($input: StartConsultationInput!) { payload: startConsultation(input: $input) {
    consultation { id startDate } userErrors { ... on UserError { code message } } } }";
const FINISH: &str = "mutation ($id: ID!, $end: DateTime) {
    payload: finishConsultation(input: { consultationId: $id, endDate: $end }) {
        consultation { price } userErrors { ... on UserError { code message } } } }";
const CANCEL: &str = "mutation ($id: ID!) {
    payload: cancelConsultation(input: { consultationId: $id, reason: \"the wrong patient\" }) {
        consultation { status price } userErrors { ... on UserError { code message } } } }";
const RECORD: &str = "mutation ($id: UUID!, $price: Decimal!) {
    payload: recordPayment(input: { appointmentId: $id, totalPrice: $price }) {
        payment { id } userErrors { ... on UserError { code message } } } }";
const SETTLE: &str = "mutation ($id: ID!) {
    payload: settlePendingPayment(input: { consultationId: $id, reason: \"paid in cash at the desk\" }) {
        pendingPayment { status settlement { recordedPrice } } userErrors { ... on UserError { code message } } } }";
const ANSWERED: &str = "{ all: pendingPayments { totalCount }
    confirmed: pendingPayments(filter: { status: FINISHED }) { totalCount }
    refused: pendingPayments(filter: { status: PARKED }) { totalCount } }";

pub(super) struct Desk<'a> {
    consultation: &'a GraphqlClient,
    finance: &'a GraphqlClient,
}

impl<'a> Desk<'a> {
    pub(super) fn of(cluster: &'a Cluster) -> Self {
        Self { consultation: &cluster.consultation.client, finance: cluster.finance_client() }
    }

    /// Sees these patients, all at once. Returns their visits with the ids of the consultations.
    pub(super) async fn serve(&self, visits: impl Iterator<Item = Visit>) -> Vec<Visit> {
        join_all(visits.map(|visit| self.visit(visit))).await
    }

    async fn visit(&self, mut visit: Visit) -> Visit {
        let began = visit.is_backdated.then(|| chassis::clock::now() - TimeDelta::minutes(visit.minutes));
        let people = json!({ "physicianId": Uuid::new_v4(), "patientId": Uuid::new_v4(), "startDate": began });
        let started = mutate(self.consultation, START, json!({ "input": people })).await["consultation"].take();
        started["id"].as_str().expect("an id").clone_into(&mut visit.id);
        let start: DateTime<Utc> = started["startDate"].as_str().expect("a date").parse().expect("a date");
        assert!(began.is_none_or(|began| began.timestamp_millis() == start.timestamp_millis()), "{started}");
        match visit.ending {
            Ending::Cancelled => {
                let cancelled = mutate(self.consultation, CANCEL, json!({ "id": visit.id })).await;
                assert_eq!(cancelled["consultation"], json!({ "status": "CANCELLED", "price": null }));
                return visit;
            }
            Ending::Settled { recorded_cents } => {
                let price = format!("{}.{:02}", recorded_cents / 100, recorded_cents % 100);
                mutate(self.finance, RECORD, json!({ "id": visit.id, "price": price })).await;
            }
            Ending::Finished => {}
        }
        let end = start + TimeDelta::minutes(visit.minutes);
        mutate(self.consultation, FINISH, json!({ "id": visit.id, "end": end })).await;
        visit
    }

    /// Lets finance's amounts stand where it has refused ours.
    pub(super) async fn settle(&self, ledger: &mut Ledger) {
        for visit in &ledger.0 {
            let Ending::Settled { recorded_cents } = visit.ending else { continue };
            let status = "query ($id: ID!) { consultation(id: $id) { pendingPayment { status } } }";
            let status = self.consultation.call(status, json!({ "id": visit.id })).await;
            // It may be on its way again when it is settled.
            if status.pointer("/consultation/pendingPayment/status") == Some(&json!("FINISHED")) {
                continue;
            }
            let settled = mutate(self.consultation, SETTLE, json!({ "id": visit.id })).await;
            let recorded = format!("{}.{:02}", recorded_cents / 100, recorded_cents % 100);
            let expected = json!({ "status": "FINISHED", "settlement": { "recordedPrice": recorded } });
            assert_eq!(settled["pendingPayment"], expected);
        }
    }
}

/// Waits until finance has confirmed or refused each payment. These are counted, not those on their way: a payment that
/// moves between two counts would be in neither.
pub(super) async fn everything_arrives(cluster: &Cluster) {
    let deadline = Instant::now() + TEST_TIMEOUT;
    loop {
        let counts = cluster.consultation.client.call(ANSWERED, json!({})).await;
        let [all, confirmed, refused] =
            ["all", "confirmed", "refused"].map(|list| counts[list]["totalCount"].as_u64().expect("a count"));
        if all == confirmed + refused {
            return;
        }
        assert!(Instant::now() < deadline, "{counts}");
        tokio::time::sleep(POLL_INTERVAL).await;
    }
}

async fn mutate(client: &GraphqlClient, mutation: &str, variables: Value) -> Value {
    let payload = client.call(mutation, variables).await["payload"].take();
    assert_eq!(payload["userErrors"], json!([]), "{mutation}");
    payload
}
