//! The certificate that consultation shows finance. Its end is a metric, and so an alert.

use std::{fs, path::PathBuf};

use rcgen::{CertificateParams, KeyPair, date_time_ymd};

/// The files of a certificate and its key.
#[derive(Debug)]
pub(crate) struct Certificate {
    pub(crate) certificate: PathBuf,
    pub(crate) key: PathBuf,
}

impl Certificate {
    /// Replaces both files: the certificate ends with the beginning of this year.
    pub(crate) fn renew(&self, year: u16) -> anyhow::Result<()> {
        let key = KeyPair::generate()?;
        let mut parameters = CertificateParams::new(["consultation".to_owned()])?;
        parameters.not_after = date_time_ymd(year.into(), 1, 1);
        fs::write(&self.certificate, parameters.self_signed(&key)?.pem())?;
        Ok(fs::write(&self.key, key.serialize_pem())?)
    }
}
