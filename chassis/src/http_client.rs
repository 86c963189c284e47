//! HTTP clients for calls between services: no redirects, no proxy, TLS set up.

use reqwest::{ClientBuilder, redirect};

/// A client builder for calls between services. It follows no redirect: another address could answer in place of the
/// service that was called. It uses no proxy: proxies are for calls to the outside.
pub fn builder() -> ClientBuilder {
    // Fails only when a provider is installed already, which is fine.
    let _ = rustls::crypto::ring::default_provider().install_default();
    ClientBuilder::new().no_proxy().redirect(redirect::Policy::none())
}
