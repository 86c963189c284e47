//! Request ids, on every response and every log line of a request.

use axum::{
    Router,
    extract::Request,
    http::{Extensions, HeaderName, HeaderValue},
    middleware::{self, Next},
    response::Response,
};
use tower_http::request_id::RequestId;
use tracing::{Instrument, error_span, field::Empty};
use uuid::Uuid;

/// The header of the id. A caller may send one, and always receives one.
pub(super) const HEADER: HeaderName = HeaderName::from_static("x-request-id");
/// Characters of a caller's id. Longer ones would fill logs.
const MAX_LENGTH: usize = 64;

/// Gives every request of `router` an id: in its extensions, in the log and in the response.
pub(super) fn identify(router: Router) -> Router {
    router.layer(middleware::from_fn(assign))
}

/// The id of a request as text; empty for a router without [`identify`].
pub(crate) fn text(extensions: &Extensions) -> &str {
    extensions.get::<RequestId>().and_then(|id| id.header_value().to_str().ok()).unwrap_or_default()
}

// Ours and not tower-http's middleware, which would keep whatever the caller sent.
async fn assign(mut request: Request, next: Next) -> Response {
    let id = id_of(&request);
    request.extensions_mut().insert(RequestId::new(id.clone()));
    let id_text = id.to_str().unwrap_or_default();
    // Filled in by `crate::traces`.
    // Of the highest level, so that no RUST_LOG takes the id from a line.
    let span = error_span!("request", id = id_text, trace_id = Empty, span_id = Empty);
    let mut response = next.run(request).instrument(span).await;
    response.headers_mut().insert(HEADER, id);
    response
}

/// The caller's id if it is harmless in a log, else a new one.
fn id_of(request: &Request) -> HeaderValue {
    let is_harmless = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte);
    match request.headers().get(HEADER) {
        Some(id) if (1..=MAX_LENGTH).contains(&id.len()) && id.as_bytes().iter().copied().all(is_harmless) => {
            id.clone()
        }
        _ => HeaderValue::try_from(Uuid::new_v4().to_string()).expect("a UUID is a header value"),
    }
}
