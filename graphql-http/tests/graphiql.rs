//! The GraphiQL page over HTTP. The clients' suites open it in a browser.

use axum::body::{Body, to_bytes};
use axum::http::{HeaderMap, Request, StatusCode, header};
use graphql_http::graphiql::{Link, Page, Tab, Take, router};
use tower::ServiceExt as _;

const TAKES: &[Take] = &[Take { from: "a.b", to: "c" }];

fn lab() -> Page {
    let tabs = &[Tab { query: "{ a(b: \"<c>\") }\n{ d }", variables: "{}", takes: TAKES }];
    let other = Some(Link { title: "\"B\"", url: "https://b.example/?<>".to_owned() });
    Page { title: r#"Lab "A" & <B>"#, tabs, other }
}

/// A tag of the page that loads a file.
struct Tag {
    url: String,
    text: String,
}

async fn ask(path: &str, accept_encoding: &str) -> (StatusCode, HeaderMap, Vec<u8>) {
    let request = Request::get(path).header(header::ACCEPT_ENCODING, accept_encoding).body(Body::empty()).unwrap();
    let (parts, body) = router(&lab()).oneshot(request).await.unwrap().into_parts();
    (parts.status, parts.headers, to_bytes(body, usize::MAX).await.unwrap().into())
}

async fn page() -> (HeaderMap, String) {
    let (status, headers, body) = ask("/graphiql", "gzip").await;
    assert_eq!(status, StatusCode::OK);
    (headers, String::from_utf8(body).unwrap())
}

async fn tags() -> Vec<Tag> {
    let (_, html) = page().await;
    let loads = html.lines().filter(|line| line.starts_with("<script") || line.starts_with("<link rel=\"stylesheet\""));
    let tags = loads.map(|text| {
        let (_, rest) = text.split_once("src=\"").or_else(|| text.split_once("href=\"")).unwrap();
        Tag { url: rest.split('"').next().unwrap().to_owned(), text: text.to_owned() }
    });
    tags.collect()
}

#[tokio::test]
async fn the_policy_forbids_whatever_is_not_named() {
    let (headers, _) = page().await;
    let policy = headers[header::CONTENT_SECURITY_POLICY].to_str().unwrap();
    assert!(policy.starts_with("default-src 'none'; script-src 'self'"), "{policy}");
    assert!(policy.ends_with("frame-ancestors 'none'; base-uri 'none'; form-action 'none'"), "{policy}");
    assert!(!policy.contains("unsafe"), "{policy}");
    assert_eq!(headers[header::X_CONTENT_TYPE_OPTIONS], "nosniff");
    assert_eq!(headers[header::REFERRER_POLICY], "no-referrer");
    assert_eq!(headers[header::CACHE_CONTROL], "no-cache");
}

#[tokio::test]
async fn title_and_tabs_are_text_and_never_markup() {
    let (_, html) = page().await;
    assert!(html.contains("<title>Lab &quot;A&quot; &amp; &lt;B&gt;</title>"), "{html}");
    assert!(html.contains("data-title=\"Lab &quot;A&quot; &amp; &lt;B&gt;\""), "{html}");
    let tabs = r"[{&quot;query&quot;:&quot;{ a(b: \&quot;&lt;c&gt;\&quot;) }\n{ d }&quot;,&quot;variables&quot;:&quot;{}&quot;,&quot;takes&quot;:[{&quot;from&quot;:&quot;a.b&quot;,&quot;to&quot;:&quot;c&quot;}]}]";
    assert!(html.contains(&format!("data-tabs=\"{tabs}\"")), "{html}");
    let other =
        r"{&quot;title&quot;:&quot;\&quot;B\&quot;&quot;,&quot;url&quot;:&quot;https://b.example/?&lt;&gt;&quot;}";
    assert!(html.contains(&format!("data-other=\"{other}\"")), "{html}");
}

#[tokio::test]
async fn every_file_is_checked_and_either_served_or_allowed_by_the_policy() {
    let (headers, _) = page().await;
    let policy = headers[header::CONTENT_SECURITY_POLICY].to_str().unwrap();
    let tags = tags().await;
    assert_eq!(tags.len(), 7);
    for Tag { url, text } in tags {
        assert!(text.contains("integrity=\"sha384-") && text.contains("crossorigin=\"anonymous\""), "{text}");
        if url.starts_with("https://") {
            assert!(policy.contains(&url), "{url} is not in {policy}");
            assert_ne!(std::env::var("GRAPHIQL_ASSETS").as_deref(), Ok("embed"), "{url} is not embedded");
            continue;
        }
        let (status, headers, body) = ask(&format!("/{url}"), "br, gzip").await;
        let kind =
            if text.starts_with("<script") { "text/javascript; charset=utf-8" } else { "text/css; charset=utf-8" };
        assert_eq!((status, &headers[header::CONTENT_TYPE]), (StatusCode::OK, &kind.parse().unwrap()), "{url}");
        assert_eq!(headers[header::CONTENT_ENCODING], "gzip");
        assert_eq!(headers[header::CACHE_CONTROL], "public, max-age=31536000, immutable");
        assert_eq!(headers[header::X_CONTENT_TYPE_OPTIONS], "nosniff");
        assert!(body.starts_with(&[0x1f, 0x8b]), "{url} is not gzip");
    }
}

#[tokio::test]
async fn a_client_without_gzip_gets_plain_text() {
    let script = tags().await.pop().unwrap();
    for refusal in ["", "br", "identity, gzip;q=0", "gzip; q=0.0"] {
        let (status, headers, body) = ask(&format!("/{}", script.url), refusal).await;
        assert_eq!((status, headers.get(header::CONTENT_ENCODING)), (StatusCode::OK, None), "{refusal}");
        assert_eq!(String::from_utf8(body).unwrap(), include_str!("../graphiql/page.js"));
    }
}

#[tokio::test]
async fn plain_text_is_in_memory_once_however_many_take_it() {
    let script = tags().await.pop().unwrap();
    let plain = async || {
        let request = Request::get(format!("/{}", script.url)).body(Body::empty()).unwrap();
        to_bytes(router(&lab()).oneshot(request).await.unwrap().into_body(), usize::MAX).await.unwrap()
    };
    let (one, other) = (plain().await, plain().await);
    assert_eq!(one.as_ptr(), other.as_ptr());
}

#[tokio::test]
async fn other_paths_are_redirected_or_not_found() {
    let (status, headers, _) = ask("/graphiql/", "gzip").await;
    assert_eq!((status, &headers[header::LOCATION]), (StatusCode::TEMPORARY_REDIRECT, &"../graphiql".parse().unwrap()));
    for path in ["/graphiql/page.js", "/graphiql/https:%2F%2Fcdn.jsdelivr.net", "/graphiql/..%2Fgraphiql.rs"] {
        assert_eq!(ask(path, "gzip").await.0, StatusCode::NOT_FOUND, "{path}");
    }
}
