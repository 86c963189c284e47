//! Headers on every answer that say how browsers may treat it.

use axum::{
    Router,
    extract::{Request, State},
    http::{HeaderValue, header},
    middleware::{self, Next},
    response::Response,
};

use super::same_origin::host;

/// A year, as preload lists ask for; names below are for their owner to decide.
const HSTS: HeaderValue = HeaderValue::from_static("max-age=31536000");

/// Adds them to the answers of `router`, which is served over TLS or not.
pub(crate) fn harden(router: Router, over_tls: bool) -> Router {
    router.layer(middleware::from_fn_with_state(over_tls, add))
}

async fn add(State(over_tls): State<bool>, request: Request, next: Next) -> Response {
    // A browser would also want TLS of whatever else a developer serves on this machine, whatever the port.
    let is_localhost = host(request.headers(), request.uri()).is_some_and(|host| host.host() == "localhost");
    let mut response = next.run(request).await;
    let headers = response.headers_mut();
    headers.entry(header::X_CONTENT_TYPE_OPTIONS).or_insert(HeaderValue::from_static("nosniff"));
    // Answers are about patients, but for the explorer's files, which say so.
    headers.entry(header::CACHE_CONTROL).or_insert(HeaderValue::from_static("no-store"));
    if over_tls && !is_localhost {
        headers.insert(header::STRICT_TRANSPORT_SECURITY, HSTS);
    }
    response
}
