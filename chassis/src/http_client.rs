//! HTTP clients with what every caller needs: no redirects, no proxy, TLS that is ready to use.

use reqwest::{ClientBuilder, redirect};

/// A client builder for calls between services. Redirects are not followed: the answer of another
/// address is not the answer of the service that was asked. Proxies are for calls to the outside.
pub fn builder() -> ClientBuilder {
    // Fails only when a provider is installed already, which is as good.
    let _ = rustls::crypto::ring::default_provider().install_default();
    ClientBuilder::new().no_proxy().redirect(redirect::Policy::none())
}
