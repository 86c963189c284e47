//! HTTP clients for calls between services: no redirects, no proxy, TLS set up, bodies in bounded memory.

use std::net::IpAddr;

use reqwest::{ClientBuilder, Response, Url, blocking, redirect};

/// Why a body was not read.
#[derive(Debug, thiserror::Error)]
pub enum BodyError {
    /// It has more bytes than the limit.
    #[error("the answer is over {} kB", .limit / 1024)]
    TooLarge {
        /// The limit.
        limit: usize,
    },
    /// The connection failed.
    #[error(transparent)]
    Broken(reqwest::Error),
}

/// A client builder for calls between services. It follows no redirect: another address could answer in place of the
/// service that was called. It uses no proxy: proxies are for calls to the outside.
pub fn builder() -> ClientBuilder {
    provide_cryptography();
    ClientBuilder::new().no_proxy().redirect(redirect::Policy::none())
}

/// As [`builder`], for a thread without a runtime.
pub(crate) fn blocking() -> blocking::ClientBuilder {
    provide_cryptography();
    blocking::ClientBuilder::new().no_proxy().redirect(redirect::Policy::none())
}

/// Sets up TLS for every client of the process.
fn provide_cryptography() {
    // Fails only when a provider is installed already, which is fine.
    let _ = rustls::crypto::ring::default_provider().install_default();
}

/// Reads a body of at most `limit` bytes.
///
/// # Errors
/// When it is longer, or the connection fails.
pub async fn read_body(mut response: Response, limit: usize) -> Result<Vec<u8>, BodyError> {
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await.map_err(BodyError::Broken)? {
        if body.len() + chunk.len() > limit {
            return Err(BodyError::TooLarge { limit });
        }
        body.extend_from_slice(&chunk);
    }
    Ok(body)
}

/// Whether nobody on the way reads what is sent to this URL: https, or http to this machine.
#[must_use]
pub fn keeps_secrets(url: &Url) -> bool {
    match url.scheme() {
        "https" => true,
        "http" => is_this_machine(url),
        _ => false,
    }
}

/// Whether the URL is one of loopback.
#[must_use]
pub fn is_this_machine(url: &Url) -> bool {
    let host = url.host_str().unwrap_or_default();
    let address = host.trim_matches(['[', ']']).parse::<IpAddr>();
    address.map_or(host == "localhost", |address| address.to_canonical().is_loopback())
}
