//! Detection of cross-site requests (CSRF). A browser adds its stored credentials to them, but names their origin.

use axum::http::{Extensions, HeaderMap, Uri, header, uri::Authority};

use super::cors::AllowedOrigins;

/// Whether a browser reports a site that is not allowed as the sender, for HTTP as for WebSockets.
///
/// Other programs report none, and have no stored credentials: they may call.
pub(crate) fn is_cross_site(headers: &HeaderMap, uri: &Uri, extensions: &Extensions) -> bool {
    let is_allowed = || extensions.get::<AllowedOrigins>().is_some_and(|allowed| allowed.sent(headers));
    is_from_elsewhere(headers, uri) && !is_allowed()
}

/// Whether a browser reports another site as the sender, allowed or not.
pub(super) fn is_from_elsewhere(headers: &HeaderMap, uri: &Uri) -> bool {
    let mut sites = headers.get_all("sec-fetch-site").iter().peekable();
    if sites.peek().is_some() {
        // `none` is an address that the user typed. `same-site` is another service of the same domain.
        return sites.any(|site| site != "same-origin" && site != "none");
    }
    // Over plain HTTP some browsers send no such header, but an origin with all except plain GETs. Those change nothing, and
    // other sites cannot read their responses.
    headers.get_all(header::ORIGIN).iter().any(|origin| {
        let origin = origin.to_str().ok().and_then(|origin| origin.parse::<Uri>().ok());
        let (Some(origin), Some(host)) = (origin, host(headers, uri)) else { return true };
        !is_at(&origin, &host)
    })
}

/// Host of the request, as a reverse proxy forwards it.
fn host(headers: &HeaderMap, uri: &Uri) -> Option<Authority> {
    // HTTP/2 has it in the URI.
    let header = || headers.get(header::HOST)?.to_str().ok()?.parse().ok();
    uri.authority().cloned().or_else(header)
}

/// Ignores the scheme, which is unknown behind a proxy that terminates TLS.
fn is_at(origin: &Uri, host: &Authority) -> bool {
    let default = match origin.scheme_str() {
        Some("http") => 80,
        Some("https") => 443,
        // `null` has no scheme; a file or a sandboxed frame sends it.
        _ => return false,
    };
    let Some(authority) = origin.authority() else { return false };
    let port = |authority: &Authority| authority.port_u16().unwrap_or(default);
    authority.host().eq_ignore_ascii_case(host.host()) && port(authority) == port(host)
}
