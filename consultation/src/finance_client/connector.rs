//! The HTTP client of finance, with a client certificate if finance asks for one. A service renews the certificate without
//! a restart, as [its own](chassis::tls). Open connections keep theirs.

use std::{
    fs,
    path::Path,
    sync::{Mutex, PoisonError},
    time::Duration,
};

use anyhow::Context;
use chassis::{http_client, metrics::Metrics, tls};
use prometheus_client::metrics::gauge::Gauge;
use reqwest::{Client, Identity};
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;

use crate::config::ClientCertificate;

/// Finance is near: a slower connection means that it is down.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(2);
const SETTING: &str = "--consultation-finance-tls-certificate-file";
/// Interval at which the files are read, also while nothing is sent: the metric shows what the next call will use.
const RELOAD_INTERVAL: Duration = Duration::from_secs(5);

#[derive(Debug)]
pub(super) struct Connector {
    certificate: Option<ClientCertificate>,
    request_timeout: Duration,
    current: Mutex<Current>,
}

#[derive(Debug)]
struct Current {
    client: Client,
    /// The latest content of the files, usable or not; `None` if they could not be read.
    seen: Option<Vec<u8>>,
    /// End of the validity of the client certificate.
    not_after: Gauge,
}

impl Connector {
    pub(super) fn new(certificate: Option<ClientCertificate>, request_timeout: Duration) -> anyhow::Result<Self> {
        let seen = certificate.as_ref().map(read).transpose().context(SETTING)?;
        let client = build(seen.as_deref(), request_timeout).context(SETTING)?;
        let current = Current { client, seen, not_after: Gauge::default() };
        Ok(Self { certificate, request_timeout, current: Mutex::new(current) })
    }

    /// Shows until when the client certificate is valid, if there is one.
    pub(super) fn show_not_after(&self, metrics: &Metrics) {
        let mut current = self.current.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(pem) = &current.seen {
            let not_after = metrics.certificate_not_after("client");
            tls::show_not_after(pem, &not_after);
            current.not_after = not_after;
        }
    }

    /// The client for the next call.
    pub(super) fn client(&self) -> Client {
        self.current.lock().unwrap_or_else(PoisonError::into_inner).client.clone()
    }

    /// Reads the files periodically until shutdown; ends at once without a certificate.
    pub(super) async fn keep_renewed(&self, shutdown: CancellationToken) {
        let Some(certificate) = &self.certificate else { return };
        let file = certificate.certificate.display();
        while shutdown.run_until_cancelled(sleep(RELOAD_INTERVAL)).await.is_some() {
            let mut current = self.current.lock().unwrap_or_else(PoisonError::into_inner);
            match current.renew(certificate, self.request_timeout) {
                Ok(false) => {}
                Ok(true) => tracing::info!(%file, "the client certificate for finance was reloaded"),
                Err(error) => tracing::error!(%file, "the client certificate for finance stays: {error:#}"),
            }
        }
    }
}

impl Current {
    /// Reads the files again. Returns whether their content changed. The same unusable content is not tried again, nor told.
    fn renew(&mut self, certificate: &ClientCertificate, request_timeout: Duration) -> anyhow::Result<bool> {
        let (found, failure) = match read(certificate) {
            Ok(found) => (Some(found), None),
            Err(failure) => (None, Some(failure)),
        };
        if self.seen == found {
            return Ok(false);
        }
        self.seen = found;
        failure.map_or(Ok(()), Err)?;
        self.client = build(self.seen.as_deref(), request_timeout)?;
        tls::show_not_after(self.seen.as_deref().unwrap_or_default(), &self.not_after);
        Ok(true)
    }
}

/// The certificate and its key, in one text.
fn read(files: &ClientCertificate) -> anyhow::Result<Vec<u8>> {
    let read = |file: &Path| fs::read(file).with_context(|| format!("cannot read {}", file.display()));
    Ok([read(&files.certificate)?, read(&files.key)?].join(&b'\n'))
}

fn build(certificate: Option<&[u8]>, request_timeout: Duration) -> anyhow::Result<Client> {
    let mut builder = http_client::builder().connect_timeout(CONNECT_TIMEOUT).timeout(request_timeout);
    if let Some(pem) = certificate {
        let identity = Identity::from_pem(pem).context("the client certificate for finance and its key are not PEM")?;
        builder = builder.identity(identity);
    }
    builder.build().context("the client of finance")
}
