//! CPU seconds of PostgreSQL for reads, on the primary and on the replica.

use std::fs;

use futures_util::{StreamExt, stream};
use sea_orm::ConnectionTrait;
use serde_json::{Value, json};
use uuid::Uuid;

use super::{FOR_EVER, Replicated, is_from_replica, until};

const PAYMENTS: u32 = 20_000;
const READS: u32 = 6_000;
const CLIENTS: usize = 8;
/// The unit of /proc on Linux.
const TICKS_PER_SECOND: f64 = 100.0;
/// Of the issue.
const WANTED_FACTOR: f64 = 1.6;

/// CPU seconds of a postmaster and of its children, ended ones included.
fn cpu(postmaster: u32) -> f64 {
    let numbers = |pid: &str| -> Option<Vec<f64>> {
        let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
        let (_, behind_name) = stat.rsplit_once(')')?;
        Some(behind_name.split_whitespace().skip(1).map(|field| field.parse().unwrap_or(0.0)).collect())
    };
    let own: f64 = numbers(&postmaster.to_string()).expect("it runs")[10..14].iter().sum();
    let processes = fs::read_dir("/proc").expect("Linux").flatten();
    let children = processes.filter_map(|entry| numbers(entry.file_name().to_str()?));
    let of_children = children.filter(|numbers| (numbers[0] - f64::from(postmaster)).abs() < 0.5);
    (own + of_children.map(|numbers| numbers[10..12].iter().sum::<f64>()).sum::<f64>()) / TICKS_PER_SECOND
}

impl Replicated {
    /// Mixed reads with these needs. Returns the CPU milliseconds that one costs the primary, and the replica.
    async fn cost(&self, needs: &Value, appointments: &[Uuid]) -> [f64; 2] {
        let before = self.servers.postmasters().map(cpu);
        let reads = stream::iter(0..READS).map(async |number| {
            let appointment = appointments[number as usize % appointments.len()];
            let query = match number % 4 {
                0 | 1 => format!("{{ payment(appointmentId: \"{appointment}\") {{ id totalPrice recordedAt }} }}"),
                2 => "{ payments(last: 20) { totalCount edges { node { id totalPrice } } } }".to_owned(),
                _ => format!(
                    "{{ payments(filter: {{ appointmentIds: [\"{appointment}\"] }}) {{ edges {{ node {{ id }} }} }} }}"
                ),
            };
            self.ask(&query, needs.clone()).await;
        });
        reads.buffer_unordered(CLIENTS).collect::<Vec<()>>().await;
        let after = self.servers.postmasters().map(cpu);
        [0, 1].map(|server| (after[server] - before[server]) * 1_000.0 / f64::from(READS))
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "a measurement: run it alone, with --ignored --nocapture"]
async fn what_reads_cost_the_primary_and_the_replica() {
    let Some(replicated) = Replicated::start(FOR_EVER).await else { return };
    let fill = format!(
        "INSERT INTO payment (id, appointment_id, total_price_cents, recorded_at)
            SELECT gen_random_uuid(), md5(number::text)::uuid, 20000, now() - number * interval '1 second'
            FROM generate_series(1, {PAYMENTS}) AS number"
    );
    let database = &replicated.db.database.write;
    database.execute_unprepared(&fill).await.expect("filled");
    database.execute_unprepared("VACUUM ANALYZE payment").await.expect("vacuumed");
    let count = "{ payments { totalCount } }";
    until(async || replicated.ask(count, json!({})).await.body["data"]["payments"]["totalCount"] == PAYMENTS).await;
    let page = replicated.ask("{ payments(first: 100) { edges { node { appointmentId } } } }", json!({})).await;
    let edges = page.body["data"]["payments"]["edges"].as_array().expect("edges");
    let id = |edge: &Value| edge["node"]["appointmentId"].as_str().expect("an id").parse().expect("a UUID");
    let appointments: Vec<Uuid> = edges.iter().map(id).collect();
    assert!(is_from_replica(&page));

    let [alone, idle] = replicated.cost(&json!({ "maxStaleness": 0 }), &appointments).await;
    let [primary, replica] = replicated.cost(&json!({}), &appointments).await;
    // The replica reads until it is busy; the primary reads with what the questions of the watch leave of it.
    let factor = alone / replica + (1.0 - primary / replica).max(0.0);
    println!("CPU ms a read, one server: {alone:.3} (replica beside it: {idle:.3})");
    println!("CPU ms a read, on the replica: primary {primary:.3}, replica {replica:.3}");
    println!("reads with one replica, on paper: {factor:.2} times one server");
    assert!(factor > WANTED_FACTOR, "{factor}");
}
