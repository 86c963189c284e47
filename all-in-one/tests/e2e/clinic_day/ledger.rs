//! What the desk knows of its patients, kept beside the services: each visit, its end, and what must be charged for it.

use std::collections::BTreeMap;

use serde_json::{Value, json};
use testkit::GraphqlClient;

use crate::cluster::Cluster;

/// Cents of an hour.
const HOUR: i64 = 20_000;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Ending {
    Finished,
    Cancelled,
    /// Finance had another amount, and an operator let it stand.
    Settled {
        recorded_cents: i64,
    },
}

#[derive(Clone, Debug)]
pub(super) struct Visit {
    pub(super) minutes: i64,
    pub(super) ending: Ending,
    pub(super) is_backdated: bool,
    /// Set by the desk.
    pub(super) id: String,
}

impl Visit {
    pub(super) fn new(minutes: i64, ending: Ending) -> Self {
        Self { minutes, ending, is_backdated: false, id: String::new() }
    }

    pub(super) fn backdated(self) -> Self {
        Self { is_backdated: true, ..self }
    }

    /// The rule in whole minutes and cents: hours to two decimals, half to even, one at least.
    pub(super) fn price(&self) -> i64 {
        let (hundredths, rest) = (self.minutes * 100 / 60, self.minutes * 100 % 60);
        let rounded = match rest.cmp(&30) {
            std::cmp::Ordering::Less => hundredths,
            std::cmp::Ordering::Equal => hundredths + hundredths % 2,
            std::cmp::Ordering::Greater => hundredths + 1,
        };
        rounded.max(100) * HOUR / 100
    }

    fn charged(&self) -> Option<i64> {
        match self.ending {
            Ending::Finished => Some(self.price()),
            Ending::Cancelled => None,
            Ending::Settled { recorded_cents } => Some(recorded_cents),
        }
    }
}

#[derive(Debug, Default)]
pub(super) struct Ledger(pub(super) Vec<Visit>);

impl Ledger {
    pub(super) fn extend(&mut self, visits: Vec<Visit>) {
        self.0.extend(visits);
    }

    /// Visits after that many that led to a payment.
    pub(super) fn charged_after(&self, visits: usize) -> usize {
        self.0[visits..].iter().filter(|visit| visit.charged().is_some()).count()
    }

    /// Both services have these visits and no other, each with its price and its payment.
    pub(super) async fn agrees_with(&self, cluster: &Cluster) {
        let field = "consultations(first: 100, after: $after, filter: { startedFrom: \"2021-08-02T00:00:00Z\" })";
        let consultations = all(&cluster.consultation.client, field, "id status price").await;
        let stored = |visit: &Visit| match visit.ending {
            Ending::Cancelled => json!({ "id": visit.id, "status": "CANCELLED", "price": null }),
            _ => json!({ "id": visit.id, "status": "FINISHED", "price": shown(visit.price()) }),
        };
        let expected = self.0.iter().map(|visit| (visit.id.clone(), stored(visit))).collect();
        assert_eq!(by("id", consultations), expected);

        let payments = all(cluster.finance_client(), "payments(first: 100, after: $after)", "appointmentId totalPrice");
        let payment = |visit: &Visit| {
            let price = shown(visit.charged()?);
            Some((visit.id.clone(), json!({ "appointmentId": visit.id, "totalPrice": price })))
        };
        assert_eq!(by("appointmentId", payments.await), self.0.iter().filter_map(payment).collect());
    }
}

/// All nodes of a list, page by page.
async fn all(client: &GraphqlClient, field: &str, selection: &str) -> Vec<Value> {
    let query = format!(
        "query ($after: String) {{ list: {field} {{ edges {{ node {{ {selection} }} }} pageInfo {{ endCursor hasNextPage }} }} }}"
    );
    let (mut nodes, mut after) = (Vec::new(), Value::Null);
    loop {
        let mut list = client.call(&query, json!({ "after": after })).await["list"].take();
        nodes.extend(list["edges"].as_array_mut().expect("edges").iter_mut().map(|edge| edge["node"].take()));
        if list["pageInfo"]["hasNextPage"] == false {
            return nodes;
        }
        after = list["pageInfo"]["endCursor"].take();
    }
}

fn by(key: &str, nodes: Vec<Value>) -> BTreeMap<String, Value> {
    let count = nodes.len();
    let found: BTreeMap<_, _> =
        nodes.into_iter().map(|node| (node[key].as_str().expect("an id").to_owned(), node)).collect();
    assert_eq!(found.len(), count, "each once");
    found
}

fn shown(cents: i64) -> String {
    format!("{}.{:02}", cents / 100, cents % 100)
}
