//! Series that clients could make: none. The second time the same nonsense has other names.

use std::time::Duration;

use anyhow::ensure;
use serde_json::json;
use testkit::{GraphqlClient, Process};

use crate::{monitor::Monitor, stack::Stack};

/// Prometheus holds each series in memory for hours.
const MAX_SERIES: f64 = 1_500.0;
/// Names in a round.
const NAMES: u32 = 100;
/// Two scrapes of the shipped interval.
const SCRAPED_WITHIN: Duration = Duration::from_secs(30);
/// The number of series that a service publishes, by Prometheus' own count.
const SERIES: &str = "scrape_samples_scraped{job=~\"consultation|finance\"}";

/// Sends nonsense to both services, twice. Returns what was checked.
pub(crate) async fn check(stack: &Stack, monitor: &Monitor) -> anyhow::Result<String> {
    let mut counted = Vec::new();
    for round in 0..2 {
        for Process { client, .. } in [stack.consultation(), stack.finance()] {
            for number in 0..NAMES {
                nonsense(client, &format!("{round}x{number}")).await;
            }
        }
        let sent_at = monitor.query("time()").await?[0];
        let is_after = |scraped: Option<f64>| scraped.is_some_and(|scraped| scraped > sent_at);
        monitor.until(&format!("min(timestamp({SERIES}))"), is_after, SCRAPED_WITHIN).await?;
        counted.push(monitor.query(&format!("sort_desc({SERIES})")).await?);
    }
    let [first, second] = &counted[..] else { unreachable!("two rounds") };
    ensure!(second.iter().all(|series| *series < MAX_SERIES), "series of the services: {second:?}");
    ensure!(first == second, "series grow from {first:?} to {second:?}");
    Ok(format!(
        "{} requests with names of clients' own: {second:?} series, and none more in the second half",
        22 * NAMES
    ))
}

/// Documents, methods, paths and codes with a name of a client's own.
async fn nonsense(client: &GraphqlClient, name: &str) {
    let documents = [
        format!("query Q{name} {{ a{name}: __typename }}"),
        format!("{{ field{name} }}"),
        format!("mutation M{name} {{ a: mutation{name} {{ id }} }}"),
        format!("subscription S{name} {{ changed{name} {{ id }} }}"),
        format!("query ($v{name}: Type{name}) {{ node(id: $v{name}) {{ id }} }}"),
        format!("{{ node(id: \"{name}\") {{ id }} __schema {{ types {{ name }} }} }}"),
        format!("not a document {name}"),
    ];
    for document in documents {
        client.send(&document, json!({ name: name })).await;
    }
    let hash = json!({ "extensions": { "persistedQuery": { "version": 1, "sha256Hash": name } } });
    let requests = [
        client.request(format!("METHOD{name}").parse().expect("a method"), "/graphql"),
        client.request("PATCH".parse().expect("a method"), &format!("/path{name}")),
        client.get(&format!("/graphql/{name}?query={name}")),
        client.post().basic_auth("admin", Some("teste123")).header("content-type", format!("type/{name}")).body("{}"),
        client
            .post()
            .basic_auth("admin", Some("teste123"))
            .header("content-type", "application/json")
            .body(hash.to_string()),
    ];
    for request in requests {
        // Some are refused before they have a response.
        let _ = request.send().await;
    }
}
