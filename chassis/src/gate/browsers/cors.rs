//! Cross-origin resource sharing (CORS): pages of other origins that may call. Off unless origins are set.
//!
//! <https://fetch.spec.whatwg.org/#http-cors-protocol>. It does not cover WebSockets: for those the origin alone
//! decides.

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

/// Cache time of a preflight response. Chrome caps it at two hours; the settings rarely change.
const PREFLIGHT_MAX_AGE: Duration = Duration::from_hours(2);

/// Allows pages of the configured origins to call `router`.
pub(crate) fn allow(router: Router, browsers: &Browsers) -> Router {
    if browsers.cors_origins.is_empty() {
        return router;
    }
    let origins = browsers.cors_origins.iter().map(|origin| HeaderValue::from_str(origin.as_str()));
    let origins: Vec<_> = origins.collect::<Result<_, _>>().expect("an origin is ASCII");
    let cors = CorsLayer::new()
        .allow_origin(AllowOrigin::list(origins.iter().cloned()))
        .allow_methods([Method::GET, Method::POST, Method::PUT])
        // Clients send different headers, and none does harm.
        .allow_headers(AllowHeaders::mirror_request())
        .allow_credentials(browsers.cors_credentials)
        .expose_headers([request_id::HEADER, header::RETRY_AFTER])
        .max_age(PREFLIGHT_MAX_AGE);
    let remembered = middleware::from_fn_with_state(browsers.cors_credentials, forget_credentials);
    router.layer(Extension(AllowedOrigins(origins.into()))).layer(remembered).layer(cors)
}

/// A browser adds its stored credentials to any WebSocket upgrade. Without permission for them, a page of another
/// origin has to send its own, as clients without stored credentials do.
async fn forget_credentials(State(allowed): State<bool>, mut request: Request, next: Next) -> Response {
    let upgrades = request.headers().contains_key(header::UPGRADE);
    if upgrades && !allowed && is_from_elsewhere(request.headers(), request.uri()) {
        request.headers_mut().remove(header::AUTHORIZATION);
    }
    next.run(request).await
}
