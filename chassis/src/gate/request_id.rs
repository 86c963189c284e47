//! Request ids: every answer and every log line of a request carries one, so that they can be matched.

use axum::{
    Router,
    extract::Request,
    http::{HeaderName, HeaderValue},
    middleware::{self, Next},
    response::Response,
};
use tracing::{Instrument, info_span};
use uuid::Uuid;

/// The header in which a caller may send an id and always gets one.
pub const HEADER: HeaderName = HeaderName::from_static("x-request-id");
/// Longer ids are replaced: they only fill logs.
const MAX_LENGTH: usize = 64;

/// The id of the request that is being answered.
#[derive(Clone, Debug)]
pub struct RequestId(HeaderValue);

impl Default for RequestId {
    fn default() -> Self {
        Self(HeaderValue::try_from(Uuid::new_v4().to_string()).expect("a UUID is a header value"))
    }
}

impl RequestId {
    /// The id as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        self.0.to_str().unwrap_or_default()
    }

    /// The caller's id if it is harmless in a log, else a new one.
    fn of(request: &Request) -> Self {
        let harmless = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte);
        match request.headers().get(HEADER) {
            Some(id) if (1..=MAX_LENGTH).contains(&id.len()) && id.as_bytes().iter().copied().all(harmless) => {
                Self(id.clone())
            }
            _ => Self::default(),
        }
    }
}

/// Gives every request of `router` an id, in the request's extensions, in the log and in the answer.
pub fn identify(router: Router) -> Router {
    router.layer(middleware::from_fn(assign))
}

async fn assign(mut request: Request, next: Next) -> Response {
    let id = RequestId::of(&request);
    request.extensions_mut().insert(id.clone());
    let span = info_span!("request", id = id.as_str());
    let mut response = next.run(request).instrument(span).await;
    response.headers_mut().insert(HEADER, id.0);
    response
}
