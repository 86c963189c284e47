//! The GraphiQL page: an editor for the API in the browser, working without internet and under a strict
//! Content-Security-Policy. The files come from `build.rs`, embedded where npm was there at build time.

use std::collections::BTreeMap;
use std::io::Read as _;
use std::iter::once;
use std::sync::{Mutex, PoisonError};

use axum::Router;
use axum::body::Bytes;
use axum::extract::Path;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Redirect, Response};
use axum::{middleware, routing::get};
use flate2::read::GzDecoder;
use serde::Serialize;

// `static ASSETS: &[Asset]`, in the order in which the page loads them.
include!(concat!(env!("OUT_DIR"), "/graphiql_assets.rs"));

/// Hash of the one style that GraphiQL writes inline: it keeps the page from scrolling behind an open dialog.
const DIALOG_STYLE: &str = "'sha256-nzTgYzXYDNe6BAHiiI7NNlfK8n/auuOAhh2t92YvuXo='";

/// What a service says about itself on its page.
#[derive(Clone, Copy, Debug)]
pub struct Page {
    /// The service's name: title of the browser's tab, and shown in the page's corner.
    pub title: &'static str,
    /// What is open in the editor when it is opened for the first time.
    pub tabs: &'static [Tab],
}

/// A tab of the editor.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct Tab {
    /// The operation; its name is the tab's.
    pub query: &'static str,
    /// Its variables, as JSON.
    pub variables: &'static str,
}

/// One file that the page loads.
struct Asset {
    /// Relative to the page, hash included; absolute for a file on the CDN.
    url: &'static str,
    /// Value of the attribute `integrity`.
    integrity: &'static str,
    /// Content; empty for a file on the CDN.
    gzip: &'static [u8],
}

/// Serves `page` at `/graphiql` and its files below. The page calls `/graphql` on the same origin with the credentials
/// that the browser has for it; who may see the page is for the caller to decide.
///
/// All addresses are relative, so that a proxy may serve both paths below a prefix.
pub fn router(page: Page) -> Router {
    let html = Bytes::from(render(page));
    let csp = policy();
    let serve_page = async move || {
        let kind = HeaderValue::from_static("text/html; charset=utf-8");
        let revalidate = HeaderValue::from_static("no-cache");
        (
            [(header::CONTENT_TYPE, kind), (header::CACHE_CONTROL, revalidate), (header::CONTENT_SECURITY_POLICY, csp)],
            html,
        )
    };
    Router::new()
        .route("/graphiql", get(serve_page))
        .route("/graphiql/", get(async || Redirect::temporary("../graphiql")))
        .route("/graphiql/{file}", get(serve_asset))
        .route_layer(middleware::map_response(harden))
}

async fn serve_asset(Path(file): Path<String>, request: HeaderMap) -> Response {
    let Some(asset) = ASSETS.iter().find(|asset| asset.url.strip_prefix("graphiql/") == Some(&file)) else {
        return StatusCode::NOT_FOUND.into_response();
    };
    let kind = if asset.is_style() { "text/css; charset=utf-8" } else { "text/javascript; charset=utf-8" };
    let headers = [
        (header::CONTENT_TYPE, kind),
        (header::CACHE_CONTROL, "public, max-age=31536000, immutable"),
        (header::VARY, "accept-encoding"),
    ];
    if accepts_gzip(&request) {
        return (headers, [(header::CONTENT_ENCODING, "gzip")], asset.gzip).into_response();
    }
    match asset.plain() {
        Some(plain) => (headers, plain).into_response(),
        None => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
    }
}

async fn harden(mut response: Response) -> Response {
    let headers = response.headers_mut();
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.insert(header::REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
    response
}

/// Whether the client takes gzip: named, or covered by `*`, and not with `q=0`.
fn accepts_gzip(request: &HeaderMap) -> bool {
    let offered = request.get(header::ACCEPT_ENCODING).and_then(|value| value.to_str().ok()).unwrap_or_default();
    offered.split(',').any(|coding| {
        let mut parts = coding.split(';').map(str::trim);
        let named = parts.next().is_some_and(|name| name.eq_ignore_ascii_case("gzip") || name == "*");
        let refused = parts.filter_map(|part| part.strip_prefix("q=")).any(|q| q.parse() == Ok(0.0_f32));
        named && !refused
    })
}

/// The contents that were asked for without compression, by their address. Browsers never do.
static PLAIN: Mutex<BTreeMap<&str, Bytes>> = Mutex::new(BTreeMap::new());

impl Asset {
    /// The content, inflated once: however many clients take it, and however slowly, it is in memory once.
    fn plain(&self) -> Option<Bytes> {
        let mut known = PLAIN.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(plain) = known.get(self.url) {
            return Some(plain.clone());
        }
        let mut plain = Vec::new();
        GzDecoder::new(self.gzip).read_to_end(&mut plain).ok()?;
        Some(known.entry(self.url).or_insert(plain.into()).clone())
    }

    fn is_style(&self) -> bool {
        self.url.rsplit('.').next() == Some("css")
    }

    /// `crossorigin` makes the integrity check possible on the CDN and still sends credentials to the own origin.
    fn tag(&self) -> String {
        let Self { url, integrity, .. } = self;
        if self.is_style() {
            format!(r#"<link rel="stylesheet" href="{url}" integrity="{integrity}" crossorigin="anonymous">"#)
        } else {
            format!(r#"<script defer src="{url}" integrity="{integrity}" crossorigin="anonymous"></script>"#)
        }
    }
}

fn render(page: Page) -> String {
    let tags: Vec<String> = ASSETS.iter().map(Asset::tag).collect();
    format!(
        include_str!("../graphiql/page.html"),
        title = escape(page.title),
        tabs = escape(&serde_json::to_string(page.tabs).expect("texts are JSON")),
        assets = tags.join("\n"),
    )
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

/// Nothing but this origin, and on the CDN exactly the files that the page names. `data:` is for the fonts and the
/// squiggle that are inside GraphiQL's stylesheet.
fn policy() -> HeaderValue {
    let sources = |style: bool| -> String {
        let on_cdn = ASSETS.iter().filter(|asset| asset.gzip.is_empty() && asset.is_style() == style);
        once("'self'").chain(on_cdn.map(|asset| asset.url)).collect::<Vec<_>>().join(" ")
    };
    let policy = format!(
        "default-src 'none'; script-src {}; style-src {} {DIALOG_STYLE}; img-src 'self' data:; font-src data:; \
         connect-src 'self'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'",
        sources(false),
        sources(true),
    );
    HeaderValue::try_from(policy).expect("addresses of assets are ASCII")
}
