//! TLS with the service's own certificate, and certificates of clients if they need one. Both can be renewed without a
//! restart.
//!
//! A handshake without a client certificate succeeds: probes need none. [`crate::gate::connections`] refuses other
//! requests of such connections. The files' content is compared every few seconds: Kubernetes swaps links and Compose mounts single files, so neither
//! modification times nor file events are reliable everywhere. Open connections keep their certificate.

mod validity;

use std::{
    fs,
    path::PathBuf,
    sync::{Arc, PoisonError, RwLock},
    time::Duration,
};

use anyhow::{Context, bail, ensure};
use prometheus_client::metrics::gauge::Gauge;
use rustls::{
    RootCertStore, ServerConfig,
    crypto::ring,
    pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject},
    server::{NoServerSessionStorage, WebPkiClientVerifier},
};
use tokio_rustls::TlsAcceptor;
use tokio_util::sync::CancellationToken;

/// Short enough for an operator to see the effect of a replaced file; renewals happen days before expiry.
const RELOAD_INTERVAL: Duration = Duration::from_secs(5);

/// Paths of the certificate and its key, both PEM.
#[derive(Clone, Debug)]
pub struct Files {
    /// The certificate, followed by its issuers' certificates.
    pub certificate: PathBuf,
    /// Its private key.
    pub key: PathBuf,
    /// Certificates of the issuers of client certificates; `None` if clients need none.
    pub client_issuers: Option<PathBuf>,
}

impl Files {
    /// The files, or `None` for plain HTTP.
    ///
    /// # Errors
    /// When the certificate or the key is missing.
    pub fn given(
        prefix: &str,
        certificate: Option<PathBuf>,
        key: Option<PathBuf>,
        client_issuers: Option<PathBuf>,
    ) -> anyhow::Result<Option<Self>> {
        match (certificate, key) {
            (Some(certificate), Some(key)) => Ok(Some(Self { certificate, key, client_issuers })),
            (None, None) if client_issuers.is_some() => {
                bail!(
                    "--{prefix}-tls-client-ca-file is for HTTPS: give --{prefix}-tls-certificate-file and its key too"
                )
            }
            (None, None) => Ok(None),
            _ => bail!("give both --{prefix}-tls-certificate-file and --{prefix}-tls-key-file, or neither"),
        }
    }

    fn read(&self) -> anyhow::Result<Pems> {
        let read = |file: &PathBuf| fs::read(file).with_context(|| format!("cannot read {}", file.display()));
        Ok(Pems {
            certificate: read(&self.certificate)?,
            key: read(&self.key)?,
            client_issuers: self.client_issuers.as_ref().map(read).transpose()?,
        })
    }
}

/// The certificate for new connections.
#[derive(Clone)]
#[expect(missing_debug_implementations, reason = "it holds the key")]
pub struct Certificate {
    files: Files,
    seen: Pems,
    /// Shared by all clones.
    config: Arc<RwLock<Arc<ServerConfig>>>,
    not_after: Gauge,
}

#[derive(Clone, PartialEq, Eq)]
struct Pems {
    certificate: Vec<u8>,
    key: Vec<u8>,
    client_issuers: Option<Vec<u8>>,
}

impl Certificate {
    /// Reads the files.
    ///
    /// # Errors
    /// When they cannot be read or do not match.
    pub fn load(files: Files) -> anyhow::Result<Self> {
        let seen = files.read()?;
        let config = Arc::new(RwLock::new(seen.config()?));
        Ok(Self { files, seen, config, not_after: Gauge::default() })
    }

    /// Shows the end of the validity of the certificate in use.
    pub(crate) fn measured(self, not_after: Gauge) -> Self {
        show_not_after(&self.seen.certificate, &not_after);
        Self { not_after, ..self }
    }

    /// Reloads the files. Returns whether their content changed.
    ///
    /// # Errors
    /// When they cannot be read or do not match. The certificate in use stays, and the same content is not tried again.
    pub fn renew(&mut self) -> anyhow::Result<bool> {
        let found = self.files.read()?;
        if found == self.seen {
            return Ok(false);
        }
        self.seen = found;
        let config = self.seen.config()?;
        *self.config.write().unwrap_or_else(PoisonError::into_inner) = config;
        show_not_after(&self.seen.certificate, &self.not_after);
        Ok(true)
    }

    /// Reloads the files periodically until shutdown.
    pub(crate) async fn keep_renewed(mut self, shutdown: CancellationToken) {
        let file = self.files.certificate.display().to_string();
        while shutdown.run_until_cancelled(tokio::time::sleep(RELOAD_INTERVAL)).await.is_some() {
            match self.renew() {
                Ok(false) => {}
                Ok(true) => tracing::info!(file, "the certificate was reloaded"),
                Err(error) => tracing::error!(file, "the certificate in use stays: {error:#}"),
            }
        }
    }

    /// Whether clients need a certificate.
    pub(crate) fn asks_clients(&self) -> bool {
        self.files.client_issuers.is_some()
    }

    /// An acceptor with the certificate in use.
    pub(crate) fn acceptor(&self) -> TlsAcceptor {
        Arc::clone(&self.config.read().unwrap_or_else(PoisonError::into_inner)).into()
    }
}

impl Pems {
    fn config(&self) -> anyhow::Result<Arc<ServerConfig>> {
        let chain = certificates(&self.certificate).context("the certificate file")?;
        let key = PrivateKeyDer::from_pem_slice(&self.key).context("the key is not PEM")?;
        let provider = Arc::new(ring::default_provider());
        let builder =
            ServerConfig::builder_with_provider(Arc::clone(&provider)).with_safe_default_protocol_versions()?;
        let builder = if let Some(issuers) = &self.client_issuers {
            let mut trusted = RootCertStore::empty();
            for issuer in certificates(issuers).context("the file of client certificates' issuers")? {
                trusted.add(issuer).context("an issuer of client certificates")?;
            }
            let verifier = WebPkiClientVerifier::builder_with_provider(Arc::new(trusted), provider);
            builder.with_client_cert_verifier(verifier.allow_unauthenticated().build()?)
        } else {
            builder.with_no_client_auth()
        };
        let mut config =
            builder.with_single_cert(chain, key).context("the certificate and the key cannot be used together")?;
        if self.client_issuers.is_some() {
            // A resumed session would have its client certificate as it was, not checked again.
            config.session_storage = Arc::new(NoServerSessionStorage {});
            config.send_tls13_tickets = 0;
        }
        config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
        Ok(Arc::new(config))
    }
}

/// Sets the gauge to the end of the validity of certificates in PEM, in seconds since 1970: of the first that ends.
pub fn show_not_after(pem: &[u8], gauge: &Gauge) {
    let chain = certificates(pem).unwrap_or_default();
    if let Some(not_after) = chain.iter().filter_map(|certificate| validity::not_after(certificate)).min() {
        gauge.set(not_after);
    }
}

/// At least one certificate.
fn certificates(pem: &[u8]) -> anyhow::Result<Vec<CertificateDer<'static>>> {
    let found: Vec<_> = CertificateDer::pem_slice_iter(pem).collect::<Result<_, _>>().context("is not PEM")?;
    ensure!(!found.is_empty(), "holds no certificate");
    Ok(found)
}
