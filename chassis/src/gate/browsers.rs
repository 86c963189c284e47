//! Rules for browsers: the host names by which they may call, and the origins of pages that may.
//!
//! A page can make a browser call with the user's stored credentials, without the user's knowledge. Other programs can
//! send any header; these rules do not protect from them.

mod cors;
mod headers;
pub(crate) mod hosts;

use axum::{extract::Request, response::Response};
use reqwest::Url;

use crate::{config::Server, health};

pub(crate) use cors::allow;
use hosts::AllowedHosts;

/// Settings for browsers.
#[derive(Clone, Debug, Default)]
pub struct Browsers {
    /// Host names that clients may use, beside those of loopback. Empty: any name, but on a loopback address only those
    /// of loopback.
    pub allowed_hosts: Vec<String>,
    /// Origins, other than the service's own, whose pages may call.
    pub cors_origins: Vec<Origin>,
    /// Whether the browser may send its stored credentials with calls of those pages.
    pub cors_credentials: bool,
    /// Address of the other service's GraphiQL, as browsers reach it. Whoever may log in can read it.
    pub graphiql_link: Option<String>,
}

/// Rules for every request and its response.
#[derive(Debug)]
pub(crate) struct Rules {
    hosts: Option<AllowedHosts>,
    over_tls: bool,
}

impl Rules {
    pub(crate) fn of(server: &Server) -> Self {
        Self { hosts: AllowedHosts::of(server), over_tls: server.tls.is_some() }
    }

    /// Answers `request` by `answer` if its host is allowed, or needs no check.
    pub(crate) async fn apply(&self, request: Request, answer: impl AsyncFnOnce(Request) -> Response) -> Response {
        // HSTS for localhost would also apply to any other server on this machine, on any port.
        let stays_with_tls = self.over_tls && !hosts::is_local(&request);
        // Supervisors use the address that a process happens to have.
        let hosts = self.hosts.as_ref().filter(|_| !health::is_probe(request.uri().path()));
        let mut response = match hosts.and_then(|hosts| hosts.refusal(&request)) {
            Some(refusal) => refusal,
            None => answer(request).await,
        };
        headers::harden(&mut response, stays_with_tls);
        response
    }
}

/// Origin of a page, as browsers send it: `https://app.example`, with the port unless it is the scheme's default.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Origin(String);

impl Origin {
    fn as_str(&self) -> &str {
        &self.0
    }
}

/// Parses an origin.
///
/// # Errors
/// When the text is no origin, or more than one: with a path, a wildcard or credentials.
pub fn origin(text: &str) -> Result<Origin, String> {
    let wanted =
        || "want an origin, as in https://app.example or http://localhost:3000; none stands for all".to_owned();
    let url: Url = text.parse().map_err(|_| wanted())?;
    let origin = url.origin().ascii_serialization();
    let says_no_more = text.trim_end_matches(':').matches('/').count() == 2 && !text.contains(['?', '#', '@', '*']);
    if matches!(url.scheme(), "http" | "https") && says_no_more { Ok(Origin(origin)) } else { Err(wanted()) }
}

/// Parses a host name.
///
/// # Errors
/// When the text is no host name, or has a scheme or a port.
pub fn host_name(text: &str) -> Result<String, String> {
    let url: Option<Url> = format!("http://{text}").parse().ok();
    let host = url.as_ref().and_then(Url::host_str).filter(|host| host.eq_ignore_ascii_case(text));
    host.map(str::to_owned).ok_or("want the name of a host without scheme and port, as in api.example".to_owned())
}

/// Parses the address of a page.
///
/// # Errors
/// When the text is no `http` or `https` URL, or has credentials, which a page would show to everybody.
pub fn page_address(text: &str) -> Result<String, String> {
    let url: Option<Url> = text.parse().ok();
    let is_shown =
        |url: &Url| matches!(url.scheme(), "http" | "https") && url.username().is_empty() && url.password().is_none();
    let wanted = "want an http or https URL without credentials, as in https://api.example/graphiql";
    url.filter(is_shown).map(String::from).ok_or(wanted.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_origin_is_a_scheme_a_host_and_a_port() {
        for (text, kept) in [
            ("https://app.example", "https://app.example"),
            ("https://App.Example:443", "https://app.example"),
            ("http://localhost:3000", "http://localhost:3000"),
            ("http://[::1]:3000", "http://[::1]:3000"),
        ] {
            assert_eq!(origin(text).as_ref().map(Origin::as_str), Ok(kept));
        }
        for text in [
            "",
            "*",
            "null",
            "app.example",
            "https://app.example/",
            "https://app.example/x",
            "ftp://app.example",
            "https://*.example",
            "https://me@app.example",
            "https://app.example?x",
            "https://",
        ] {
            assert!(origin(text).is_err_and(|why| why.contains("https://app.example")), "{text}");
        }
    }

    #[test]
    fn a_host_name_has_no_scheme_and_no_port() {
        for text in ["api.example", "192.0.2.1", "[2001:db8::1]", "intranet"] {
            assert_eq!(host_name(text).as_deref(), Ok(text));
        }
        for text in ["", "https://api.example", "api.example:8010", "api.example/x", "me@api.example", "a b"] {
            assert!(host_name(text).is_err_and(|why| why.contains("api.example")), "{text}");
        }
    }
    #[test]
    fn the_address_of_a_page_has_no_credentials_and_runs_nothing() {
        for text in ["https://api.example/graphiql", "http://127.0.0.1:8020/graphiql"] {
            assert_eq!(page_address(text).as_deref(), Ok(text));
        }
        for text in ["", "/graphiql", "javascript:alert(1)", "https://me@api.example/", "https://:secret@api.example/"]
        {
            assert!(page_address(text).is_err_and(|why| why.contains("https://api.example")), "{text}");
        }
    }
}
