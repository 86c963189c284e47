//! Headers on every answer that say how browsers may treat it.

use axum::{
    http::{HeaderValue, header},
    response::Response,
};

/// A year, as preload lists ask for; names below are for their owner to decide.
const HSTS: HeaderValue = HeaderValue::from_static("max-age=31536000");

/// Adds them to an answer, which goes over TLS to a name for which that is to be remembered, or not.
pub(super) fn harden(response: &mut Response, stays_with_tls: bool) {
    let headers = response.headers_mut();
    headers.entry(header::X_CONTENT_TYPE_OPTIONS).or_insert(HeaderValue::from_static("nosniff"));
    // Answers are about patients, but for the explorer's files, which say so.
    headers.entry(header::CACHE_CONTROL).or_insert(HeaderValue::from_static("no-store"));
    if stays_with_tls {
        headers.insert(header::STRICT_TRANSPORT_SECURITY, HSTS);
    }
}
