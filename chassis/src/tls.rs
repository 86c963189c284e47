//! TLS with the service's own certificate, which can be renewed without a restart.
//!
//! The files' content is compared every few seconds: Kubernetes swaps links and Compose mounts single files, so neither
//! modification times nor file events are reliable everywhere. Open connections keep their certificate.

use std::{
    fs,
    path::PathBuf,
    sync::{Arc, PoisonError, RwLock},
    time::Duration,
};

use anyhow::{Context, bail, ensure};
use rustls::{
    ServerConfig,
    crypto::ring,
    pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject},
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
}

impl Files {
    /// Both files, or `None` for plain HTTP.
    ///
    /// # Errors
    /// When only one was given.
    pub fn both(prefix: &str, certificate: Option<PathBuf>, key: Option<PathBuf>) -> anyhow::Result<Option<Self>> {
        match (certificate, key) {
            (Some(certificate), Some(key)) => Ok(Some(Self { certificate, key })),
            (None, None) => Ok(None),
            _ => bail!("give both --{prefix}-tls-certificate-file and --{prefix}-tls-key-file, or neither"),
        }
    }

    fn read(&self) -> anyhow::Result<Pems> {
        let read = |file: &PathBuf| fs::read(file).with_context(|| format!("cannot read {}", file.display()));
        Ok(Pems { certificate: read(&self.certificate)?, key: read(&self.key)? })
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
}

#[derive(Clone, PartialEq, Eq)]
struct Pems {
    certificate: Vec<u8>,
    key: Vec<u8>,
}

impl Certificate {
    /// Reads the files.
    ///
    /// # Errors
    /// When they cannot be read or do not match.
    pub fn load(files: Files) -> anyhow::Result<Self> {
        let seen = files.read()?;
        let config = Arc::new(RwLock::new(seen.config()?));
        Ok(Self { files, seen, config })
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

    /// An acceptor with the certificate in use.
    pub(crate) fn acceptor(&self) -> TlsAcceptor {
        Arc::clone(&self.config.read().unwrap_or_else(PoisonError::into_inner)).into()
    }
}

impl Pems {
    fn config(&self) -> anyhow::Result<Arc<ServerConfig>> {
        let chain: Vec<_> = CertificateDer::pem_slice_iter(&self.certificate)
            .collect::<Result<_, _>>()
            .context("the certificate is not PEM")?;
        ensure!(!chain.is_empty(), "the certificate file holds no certificate");
        let key = PrivateKeyDer::from_pem_slice(&self.key).context("the key is not PEM")?;
        let mut config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()?
            .with_no_client_auth()
            .with_single_cert(chain, key)
            .context("the certificate and the key cannot be used together")?;
        config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
        Ok(Arc::new(config))
    }
}
