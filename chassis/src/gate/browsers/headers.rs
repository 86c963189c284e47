//! Response headers that restrict browsers.

use axum::{
    http::{HeaderValue, header},
    response::Response,
};

/// One year, as preload lists require. Subdomains are their owner's decision.
const HSTS: HeaderValue = HeaderValue::from_static("max-age=31536000");

/// Adds the headers; HSTS only over TLS and for a name that is not local.
pub(super) fn harden(response: &mut Response, stays_with_tls: bool) {
    let headers = response.headers_mut();
    headers.entry(header::X_CONTENT_TYPE_OPTIONS).or_insert(HeaderValue::from_static("nosniff"));
    // Responses are private, except for GraphiQL's files, which set their own.
    headers.entry(header::CACHE_CONTROL).or_insert(HeaderValue::from_static("no-store"));
    if stays_with_tls {
        headers.insert(header::STRICT_TRANSPORT_SECURITY, HSTS);
    }
}
