//! `/livez` and `/readyz`, for supervisors and load balancers. They need no credentials and reveal nothing secret.

mod heartbeat;
mod monitor;
mod reason;

use axum::{
    Router,
    http::{HeaderName, HeaderValue, StatusCode},
    response::Response,
    routing::get,
};
use tokio_util::sync::CancellationToken;

pub use heartbeat::Heartbeat;
pub use monitor::{Monitor, Readiness};

/// `/livez`: the process answers and no background loop hangs. `/readyz`: the service can work and is not shutting
/// down.
pub fn router(readiness: Readiness, shutdown: CancellationToken, heartbeats: Vec<Heartbeat>) -> Router {
    Router::new()
        .route("/livez", get(async move || live(&heartbeats)))
        .route("/readyz", get(async move || ready(&readiness, &shutdown)))
}

/// Whether the path is a probe's.
pub(crate) fn is_probe(path: &str) -> bool {
    matches!(path, "/livez" | "/readyz")
}

/// Header with the service's name, so that another service on the same port is not mistaken for it.
pub(crate) const SERVICE: HeaderName = HeaderName::from_static("x-service");

/// Adds `name` to a response as [`SERVICE`].
pub(crate) fn tell_name(name: &'static str, mut response: Response) -> Response {
    response.headers_mut().insert(SERVICE, HeaderValue::from_static(name));
    response
}

fn live(heartbeats: &[Heartbeat]) -> (StatusCode, String) {
    let hanging: Vec<_> = heartbeats.iter().filter_map(|heartbeat| heartbeat.check().err()).collect();
    if hanging.is_empty() { (StatusCode::OK, "ok".to_owned()) } else { unavailable(hanging.join("; ")) }
}

fn ready(readiness: &Readiness, shutdown: &CancellationToken) -> (StatusCode, String) {
    if shutdown.is_cancelled() {
        return unavailable("shutting down".to_owned());
    }
    readiness.check().map_or_else(unavailable, |()| (StatusCode::OK, "ok".to_owned()))
}

fn unavailable(why: String) -> (StatusCode, String) {
    (StatusCode::SERVICE_UNAVAILABLE, why)
}
