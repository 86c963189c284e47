//! Allowed host names, against DNS rebinding.
//!
//! A page can point its own name to this machine's address, and then calls the service as if from the same origin. The
//! browser sends that name, and the page cannot change it.

use std::net::IpAddr;

use axum::{
    Json,
    extract::Request,
    http::{StatusCode, header},
    response::{IntoResponse, Response},
};

use crate::config::Server;

/// Host names that clients may use.
#[derive(Debug)]
pub(super) struct AllowedHosts {
    names: Vec<String>,
    /// The setting, for the refusal.
    flag: String,
}

impl AllowedHosts {
    pub(super) fn of(server: &Server) -> Option<Self> {
        let names = server.browsers.allowed_hosts.clone();
        let any = names.is_empty() && !server.bind.ip().is_loopback();
        (!any).then(|| Self { names, flag: format!("--{}-allowed-hosts", server.name) })
    }

    /// The refusal of a request to another host, if it is one.
    pub(super) fn refusal(&self, request: &Request) -> Option<Response> {
        let is_allowed = match host(request) {
            Ok(host) => host.is_none_or(|host| self.includes(host)),
            Err(Unreadable) => false,
        };
        (!is_allowed).then(|| self.refuse(host(request).ok().flatten().unwrap_or("of the request")))
    }

    fn includes(&self, host: &str) -> bool {
        is_loopback(host) || self.names.iter().any(|name| name.eq_ignore_ascii_case(host))
    }

    fn refuse(&self, host: &str) -> Response {
        let flag = &self.flag;
        let message = format!("The host name {host} is not allowed; to allow it, add it to {flag}");
        let body = serde_json::json!({ "errors": [{ "message": message, "extensions": { "code": "BAD_REQUEST" } }] });
        (StatusCode::MISDIRECTED_REQUEST, Json(body)).into_response()
    }
}

struct Unreadable;

/// The host of the request, without its port. Every browser sends it; some programs do not.
fn host(request: &Request) -> Result<Option<&str>, Unreadable> {
    // HTTP/2 has it in the URI.
    if let Some(host) = request.uri().host() {
        return Ok(Some(host));
    }
    let Some(value) = request.headers().get(header::HOST) else { return Ok(None) };
    let value = value.to_str().map_err(|_| Unreadable)?;
    // An IPv6 address has colons of its own, in brackets.
    let end = value.find(']').map_or(0, |bracket| bracket + 1);
    let (host, port) = value.split_at(value[end..].find(':').map_or(value.len(), |colon| end + colon));
    let has_port_or_none = port.is_empty() || port[1..].bytes().all(|byte| byte.is_ascii_digit());
    if host.is_empty() || !has_port_or_none { Err(Unreadable) } else { Ok(Some(host)) }
}

/// Whether the request is addressed to this machine by a loopback name.
pub(crate) fn is_local(request: &Request) -> bool {
    host(request).is_ok_and(|host| host.is_some_and(is_loopback))
}

/// Loopback names are safe: no remote page can have one as its origin.
fn is_loopback(host: &str) -> bool {
    let address = host.trim_start_matches('[').trim_end_matches(']').parse::<IpAddr>();
    host.eq_ignore_ascii_case("localhost") || address.is_ok_and(|address| address.is_loopback())
}
