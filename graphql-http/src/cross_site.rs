//! Requests from pages of other sites (CSRF). A browser sends its stored credentials with those too, but names their
//! origin.

use std::sync::Arc;

use axum::http::{Extensions, HeaderMap, HeaderValue, Uri, header, uri::Authority};

/// Other origins whose pages may call; in the extensions of requests.
#[derive(Clone, Debug, Default)]
pub struct AllowedOrigins(pub Arc<[HeaderValue]>);

impl AllowedOrigins {
    fn include(&self, headers: &HeaderMap) -> bool {
        let mut origins = headers.get_all(header::ORIGIN).iter();
        origins.next().is_some_and(|origin| self.0.contains(origin)) && origins.next().is_none()
    }
}

/// Whether a browser sent this for a page of another site that is not in [`AllowedOrigins`].
///
/// Scripts and servers name no origin. They have only the credentials that they were given, and may call.
#[must_use]
pub fn is_cross_site(headers: &HeaderMap, uri: &Uri, extensions: &Extensions) -> bool {
    is_from_elsewhere(headers, uri)
        && !extensions.get::<AllowedOrigins>().is_some_and(|allowed| allowed.include(headers))
}

/// Whether a browser sent this for a page of another site, allowed or not.
#[must_use]
pub fn is_from_elsewhere(headers: &HeaderMap, uri: &Uri) -> bool {
    let mut sites = headers.get_all("sec-fetch-site").iter().peekable();
    if sites.peek().is_some() {
        // `none` is an address that the user typed. `same-site` is another service of the same domain.
        return sites.any(|site| site != "same-origin" && site != "none");
    }
    // Over plain HTTP some browsers send no such header. They send an origin with everything but plain GETs. A plain
    // GET changes nothing, and other sites cannot read its response.
    headers.get_all(header::ORIGIN).iter().any(|origin| {
        let origin = origin.to_str().ok().and_then(|origin| origin.parse::<Uri>().ok());
        let (Some(origin), Some(host)) = (origin, host(headers, uri)) else { return true };
        !is_at(&origin, &host)
    })
}

/// The host that the request is addressed to, as a reverse proxy passes it on.
fn host(headers: &HeaderMap, uri: &Uri) -> Option<Authority> {
    // HTTP/2 has it in the URI.
    let header = || headers.get(header::HOST)?.to_str().ok()?.parse().ok();
    uri.authority().cloned().or_else(header)
}

/// Whether the origin is the host. Schemes are not compared: behind a proxy that terminates TLS ours is unknown.
fn is_at(origin: &Uri, host: &Authority) -> bool {
    let default = match origin.scheme_str() {
        Some("http") => 80,
        Some("https") => 443,
        // The origin `null`, of a file or a sandboxed frame, has no scheme.
        _ => return false,
    };
    let Some(authority) = origin.authority() else { return false };
    let port = |authority: &Authority| authority.port_u16().unwrap_or(default);
    authority.host().eq_ignore_ascii_case(host.host()) && port(authority) == port(host)
}
