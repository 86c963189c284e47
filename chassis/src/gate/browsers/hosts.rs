//! The names by which the service may be called.
//!
//! A page can give its own name a new address, that of this machine, and then calls the service as pages of the service do
//! (DNS rebinding). It cannot change the name, which the browser sends.

use std::net::IpAddr;

use axum::{
    Json,
    extract::Request,
    http::{StatusCode, header},
    response::{IntoResponse, Response},
};

use crate::config::Server;

/// The names, unless any will do.
#[derive(Debug)]
pub(super) struct AllowedHosts {
    names: Vec<String>,
    /// The setting, for whoever is refused.
    flag: String,
}

impl AllowedHosts {
    pub(super) fn of(server: &Server) -> Option<Self> {
        let names = server.browsers.allowed_hosts.clone();
        let any = names.is_empty() && !server.bind.ip().is_loopback();
        (!any).then(|| Self { names, flag: format!("--{}-allowed-hosts", server.name) })
    }

    /// The answer to a request that is addressed to another host.
    pub(super) fn refusal(&self, request: &Request) -> Option<Response> {
        let is_allowed = match host(request) {
            Ok(host) => host.is_none_or(|host| self.includes(host)),
            Err(Unreadable) => false,
        };
        (!is_allowed).then(|| self.refuse(host(request).ok().flatten().unwrap_or("by what it was addressed to")))
    }

    fn includes(&self, host: &str) -> bool {
        is_loopback(host) || self.names.iter().any(|name| name.eq_ignore_ascii_case(host))
    }

    fn refuse(&self, host: &str) -> Response {
        let flag = &self.flag;
        let message = format!("This service is not called {host}; if clients may call it so, add the name to {flag}");
        let body = serde_json::json!({ "errors": [{ "message": message, "extensions": { "code": "BAD_REQUEST" } }] });
        (StatusCode::MISDIRECTED_REQUEST, Json(body)).into_response()
    }
}

struct Unreadable;

/// The host that the request is addressed to, without its port. Every browser says it; some programs do not.
fn host(request: &Request) -> Result<Option<&str>, Unreadable> {
    // In HTTP/2 it is a part of the address.
    if let Some(host) = request.uri().host() {
        return Ok(Some(host));
    }
    let Some(said) = request.headers().get(header::HOST) else { return Ok(None) };
    let said = said.to_str().map_err(|_| Unreadable)?;
    // An IPv6 address has colons of its own, in brackets.
    let end = said.find(']').map_or(0, |bracket| bracket + 1);
    let (host, port) = said.split_at(said[end..].find(':').map_or(said.len(), |colon| end + colon));
    let has_port_or_none = port.is_empty() || port[1..].bytes().all(|byte| byte.is_ascii_digit());
    if host.is_empty() || !has_port_or_none { Err(Unreadable) } else { Ok(Some(host)) }
}

/// Whether the request is addressed to this machine, by whoever runs on it.
pub(super) fn is_local(request: &Request) -> bool {
    host(request).is_ok_and(|host| host.is_some_and(is_loopback))
}

/// No page can be served to others under these names.
fn is_loopback(host: &str) -> bool {
    let address = host.trim_start_matches('[').trim_end_matches(']').parse::<IpAddr>();
    host.eq_ignore_ascii_case("localhost") || address.is_ok_and(|address| address.is_loopback())
}
