//! Requests that pages of other sites send. A browser adds the credentials that it remembers for us to
//! those too, but says where they come from.

use axum::http::{Extensions, HeaderMap, Uri, header, uri::Authority};

use super::cors::AllowedOrigins;

/// Whether a browser says that a site sent this which may not, for HTTP as for WebSockets.
///
/// Scripts and servers say nothing, and have no credentials that were not given to them: they may ask.
pub(crate) fn is_cross_site(headers: &HeaderMap, uri: &Uri, extensions: &Extensions) -> bool {
    let is_allowed = || extensions.get::<AllowedOrigins>().is_some_and(|allowed| allowed.sent(headers));
    is_from_elsewhere(headers, uri) && !is_allowed()
}

/// Whether a browser says that another site sent this, allowed or not.
pub(super) fn is_from_elsewhere(headers: &HeaderMap, uri: &Uri) -> bool {
    let mut said = headers.get_all("sec-fetch-site").iter().peekable();
    if said.peek().is_some() {
        // `none` is for an address that the user typed. `same-site` is another service of the same domain.
        return said.any(|site| site != "same-origin" && site != "none");
    }
    // Browsers that do not say so over plain HTTP give an origin with all but plain GETs, whose answers
    // other sites cannot read and which change nothing.
    headers.get_all(header::ORIGIN).iter().any(|origin| {
        let origin = origin.to_str().ok().and_then(|origin| origin.parse::<Uri>().ok());
        let (Some(origin), Some(host)) = (origin, host(headers, uri)) else { return true };
        !is_at(&origin, &host)
    })
}

/// Whom the request was addressed to, as a reverse proxy passes it on.
fn host(headers: &HeaderMap, uri: &Uri) -> Option<Authority> {
    // In HTTP/2 it is a part of the address.
    let header = || headers.get(header::HOST)?.to_str().ok()?.parse().ok();
    uri.authority().cloned().or_else(header)
}

/// The scheme is not compared: behind a proxy that speaks HTTPS it is unknown here.
fn is_at(origin: &Uri, host: &Authority) -> bool {
    let default = match origin.scheme_str() {
        Some("http") => 80,
        Some("https") => 443,
        // `null` has none, as of a file or a sandboxed frame.
        _ => return false,
    };
    let Some(authority) = origin.authority() else { return false };
    let port = |authority: &Authority| authority.port_u16().unwrap_or(default);
    authority.host().eq_ignore_ascii_case(host.host()) && port(authority) == port(host)
}
