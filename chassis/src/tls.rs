//! TLS with the service's own certificate, which may be renewed while the service runs.
//!
//! The files' content is what counts, looked at every few seconds: Kubernetes swaps links and Compose mounts
//! single files, so neither times nor file events tell everywhere. Connections that are open stay as they are.

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

/// Certificates are renewed days before they expire, but people who replace one want to see it.
const LOOK_EVERY: Duration = Duration::from_secs(5);

/// Where the certificate and its key are, in PEM.
#[derive(Clone, Debug)]
pub struct Files {
    /// The certificate, followed by those of its issuers.
    pub certificate: PathBuf,
    /// Its private key.
    pub key: PathBuf,
}

impl Files {
    /// Both files, or none: then the service speaks plain HTTP.
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

/// The certificate that new connections see.
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
    /// When they cannot be read or do not belong together.
    pub fn load(files: Files) -> anyhow::Result<Self> {
        let seen = files.read()?;
        let config = Arc::new(RwLock::new(seen.config()?));
        Ok(Self { files, seen, config })
    }

    /// Uses the files' content from now on, if it is new. Whether it was.
    ///
    /// # Errors
    /// When they cannot be read or do not belong together: then the certificate in use stays, and the same
    /// content is not tried again.
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

    /// Renews the certificate until shutdown.
    pub async fn keep_renewed(mut self, shutdown: CancellationToken) {
        let file = self.files.certificate.display().to_string();
        while shutdown.run_until_cancelled(tokio::time::sleep(LOOK_EVERY)).await.is_some() {
            match self.renew() {
                Ok(false) => {}
                Ok(true) => tracing::info!(file, "the new certificate is in use"),
                Err(error) => tracing::error!(file, "the certificate in use stays: {error:#}"),
            }
        }
    }

    /// Shows the certificate in use to one connection.
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
