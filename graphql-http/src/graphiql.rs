//! GraphiQL, an editor for the API in the browser, without internet and under a strict Content-Security-Policy.
//! `build.rs` embeds its files if npm is present at build time.

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

use crate::accept::preferences;

// `static ASSETS: &[Asset]`, in the order in which the page loads them.
include!(concat!(env!("OUT_DIR"), "/graphiql_assets.rs"));

/// The hash of GraphiQL's one inline style, which keeps the page from scrolling behind an open dialog.
const DIALOG_STYLE: &str = "'sha256-nzTgYzXYDNe6BAHiiI7NNlfK8n/auuOAhh2t92YvuXo='";

/// The page of a service.
#[derive(Clone, Debug)]
pub struct Page {
    /// The name of the service: the title of the browser's tab, also shown in the page's corner.
    pub title: &'static str,
    /// The editor's tabs on the first visit.
    pub tabs: &'static [Tab],
    /// Another page, linked in the corner. A loopback address is shown to browsers on this machine only.
    pub other: Option<Link>,
}

/// A link to a page.
#[derive(Clone, Debug, Serialize)]
pub struct Link {
    /// Its text.
    pub title: &'static str,
    /// Its address, `http` or `https`.
    pub url: String,
}

/// A tab of the editor.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct Tab {
    /// The operation, whose name is the tab's title.
    pub query: &'static str,
    /// Its variables, as JSON. The text `{uuid}` stands for a random id, which is another one at each visit.
    pub variables: &'static str,
    /// Variables that the page fills in from answers in other tabs.
    pub takes: &'static [Take],
}

/// A value that goes from an answer into a tab's variables. Names in paths are joined by dots, as in `input.id`.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct Take {
    /// Its path in an answer's `data`.
    pub from: &'static str,
    /// Its path in the variables.
    pub to: &'static str,
}

/// A file of the page.
struct Asset {
    /// Relative to the page, hash included; absolute for a file on the CDN.
    url: &'static str,
    /// The attribute `integrity`.
    integrity: &'static str,
    /// The content; empty for a file on the CDN.
    gzip: &'static [u8],
}

/// Serves `page` at `/graphiql` and its files below. The page calls `/graphql` on the same origin with the browser's
/// credentials; access to the page is for the application to check.
///
/// All addresses are relative: a proxy may serve both paths below a prefix.
pub fn router(page: &Page) -> Router {
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

/// Whether the client accepts gzip, by name or by `*`.
fn accepts_gzip(request: &HeaderMap) -> bool {
    preferences(request, header::ACCEPT_ENCODING).any(|(coding, _)| coding == "gzip" || coding == "*")
}

/// Uncompressed contents by their address. Browsers never ask for them.
static PLAIN: Mutex<BTreeMap<&str, Bytes>> = Mutex::new(BTreeMap::new());

impl Asset {
    /// The uncompressed content, in memory once for all clients.
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

    /// The tag that loads the file. `crossorigin` allows the integrity check on the CDN, and still sends credentials to
    /// the own origin.
    fn tag(&self) -> String {
        let Self { url, integrity, .. } = self;
        if self.is_style() {
            format!(r#"<link rel="stylesheet" href="{url}" integrity="{integrity}" crossorigin="anonymous">"#)
        } else {
            format!(r#"<script defer src="{url}" integrity="{integrity}" crossorigin="anonymous"></script>"#)
        }
    }
}

fn render(page: &Page) -> String {
    let tags: Vec<String> = ASSETS.iter().map(Asset::tag).collect();
    format!(
        include_str!("../graphiql/page.html"),
        title = escape(page.title),
        tabs = escape(&serde_json::to_string(page.tabs).expect("texts are JSON")),
        other = escape(&serde_json::to_string(&page.other).expect("texts are JSON")),
        assets = tags.join("\n"),
    )
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

/// The policy: this origin, and on the CDN exactly the files of the page. `data:` is for fonts and an image in
/// GraphiQL's stylesheet.
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
