//! No more series, whatever clients send.

use serde_json::json;
use testkit::{Backend, GraphqlClient};

use super::{Measured, scrape, value};

/// Series of a service. Prometheus holds each in memory for hours.
const MAX_SERIES: usize = 1_500;

/// Calls each route by each method, with and without a login, and by a foreign name.
async fn send_to_each_route(client: &GraphqlClient) {
    let paths =
        ["/graphql", "/graphql/", "/graphiql", "/schema.graphql", "/livez", "/readyz", "/x", "/app/consultation/start"];
    let http = chassis::http_client::builder().build().expect("a client");
    for path in paths.into_iter().chain(["/app/consultation/start/", "/app/consultation/finish", "/openapi.json"]) {
        for method in ["GET", "HEAD", "OPTIONS", "POST", "PUT", "PATCH", "DELETE", "TRACE", "METHOD"] {
            let method: reqwest::Method = method.parse().expect("a method");
            client.request(method.clone(), path).send().await.expect("a response");
            client.request(method.clone(), path).body("{").send().await.expect("a response");
            let of_nobody = || http.request(method.clone(), format!("{}{path}", client.base));
            of_nobody().send().await.expect("a response");
            of_nobody().header("Host", "evil.example").send().await.expect("a response");
            of_nobody().basic_auth("admin", Some("wrong")).send().await.expect("a response");
        }
    }
}

#[tokio::test]
async fn whatever_clients_send_makes_no_series_of_its_own() {
    let Some(service) = Measured::start(Backend::Sqlite).await else { return };
    let client = &service.process.client;
    for number in 0..300 {
        client.send(&format!("query Q{number} {{ a{number}: consultations {{ totalCount }} }}"), json!({})).await;
        client.send(&format!("{{ field{number} }}"), json!({})).await;
        let method = format!("METHOD{number}").parse().expect("a method");
        client.request(method, &format!("/path{number}")).send().await.expect("a response");
    }
    send_to_each_route(client).await;
    let text = scrape(&service.consultation).await;
    for foreign in ["Q7", "a7", "field7", "METHOD7", "path7"] {
        assert!(!text.contains(foreign), "{foreign}: {text}");
    }
    let series = text.lines().filter(|line| !line.starts_with('#')).count();
    assert!(series < MAX_SERIES, "{series}");
    let counted = "graphql_operations_total{type=\"query\",field=\"consultations\",outcome=\"ok\"}";
    assert_eq!(value(&text, counted), Some(300.0));
}
