//! Pages of other origins that may call: cross-origin resource sharing, off unless origins are set.
//!
//! <https://fetch.spec.whatwg.org/#http-cors-protocol>. WebSockets have no such protocol: there the origins alone count.

use std::time::Duration;

use axum::{
    Extension, Router,
    extract::{Request, State},
    http::{HeaderValue, Method, header},
    middleware::{self, Next},
    response::Response,
};
use tower_http::cors::{AllowHeaders, AllowOrigin, CorsLayer};

use graphql_http::cross_site::{AllowedOrigins, is_from_elsewhere};

use super::Browsers;
use crate::gate::request_id;

/// How long a browser may remember that it may call. Chrome takes no more than two hours; what is set rarely changes.
const PREFLIGHT_MAX_AGE: Duration = Duration::from_hours(2);

/// Lets pages of the origins that are set call `router`.
pub(crate) fn allow(router: Router, browsers: &Browsers) -> Router {
    if browsers.cors_origins.is_empty() {
        return router;
    }
    let origins = browsers.cors_origins.iter().map(|origin| HeaderValue::from_str(origin.as_str()));
    let origins: Vec<_> = origins.collect::<Result<_, _>>().expect("an origin is ASCII");
    let cors = CorsLayer::new()
        .allow_origin(AllowOrigin::list(origins.iter().cloned()))
        .allow_methods([Method::GET, Method::POST, Method::PUT])
        // What clients send differs, and none of it does harm: whoever may call may say what they like.
        .allow_headers(AllowHeaders::mirror_request())
        .allow_credentials(browsers.cors_credentials)
        .expose_headers([request_id::HEADER, header::RETRY_AFTER])
        .max_age(PREFLIGHT_MAX_AGE);
    let remembered = middleware::from_fn_with_state(browsers.cors_credentials, forget_credentials);
    router.layer(Extension(AllowedOrigins(origins.into()))).layer(remembered).layer(cors)
}

/// A browser adds the credentials that it remembers to the upgrade to a WebSocket, whoever asks for it. Pages that are
/// not to have them introduce themselves with their own, as those without do.
async fn forget_credentials(State(allowed): State<bool>, mut request: Request, next: Next) -> Response {
    let upgrades = request.headers().contains_key(header::UPGRADE);
    if upgrades && !allowed && is_from_elsewhere(request.headers(), request.uri()) {
        request.headers_mut().remove(header::AUTHORIZATION);
    }
    next.run(request).await
}
