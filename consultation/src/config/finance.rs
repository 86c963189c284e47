//! The finance that payments go to: its address, and how consultation calls it.

use std::{net::IpAddr, path::PathBuf};

use anyhow::ensure;
use chassis::{
    cli::wrong_setting,
    config::{self, DEVELOPMENT_PASSWORD, DEVELOPMENT_USERNAME, Server},
};
use clap::Args;
use reqwest::Url;
use secrecy::{ExposeSecret, SecretString};

/// The finance that payments go to.
#[derive(Clone, Debug, Args)]
#[group(skip)]
pub struct FinanceSettings {
    /// Finance's GraphQL endpoint [default: http://127.0.0.1:8020/graphql; all-in-one: its own finance]
    #[arg(long = "consultation-finance-url", env = "CONSULTATION_FINANCE_URL")]
    #[arg(global = true, value_name = "URL", value_parser = http_url)]
    url: Option<Url>,
    /// User name for finance [default: admin; all-in-one: finance's own]
    #[arg(long = "consultation-finance-username", env = "CONSULTATION_FINANCE_USERNAME")]
    #[arg(global = true, value_name = "NAME", value_parser = config::username)]
    username: Option<String>,
    /// Password for finance [default: teste123, for development only; all-in-one: finance's own]
    #[arg(long = "consultation-finance-password", env = "CONSULTATION_FINANCE_PASSWORD")]
    #[arg(global = true, value_name = "PASSWORD", hide_env_values = true)]
    password: Option<SecretString>,
    /// File that holds the password for finance
    #[arg(long = "consultation-finance-password-file", env = "CONSULTATION_FINANCE_PASSWORD_FILE")]
    #[arg(global = true, value_name = "FILE")]
    password_file: Option<PathBuf>,
    /// File with the client certificate (PEM) for a finance that asks for one; changes apply without a restart
    #[arg(long = "consultation-finance-tls-certificate-file", env = "CONSULTATION_FINANCE_TLS_CERTIFICATE_FILE")]
    #[arg(global = true, value_name = "FILE", requires = "tls_key_file")]
    tls_certificate_file: Option<PathBuf>,
    /// File with the client certificate's private key (PEM)
    #[arg(long = "consultation-finance-tls-key-file", env = "CONSULTATION_FINANCE_TLS_KEY_FILE")]
    #[arg(global = true, value_name = "FILE", requires = "tls_certificate_file")]
    tls_key_file: Option<PathBuf>,
}

/// The address of finance and the user that calls it.
#[derive(Clone, Debug)]
pub struct FinanceTarget {
    /// GraphQL endpoint of finance.
    pub url: Url,
    /// User name.
    pub username: String,
    /// Password.
    pub password: SecretString,
    /// Files of the client certificate, if finance asks for one.
    pub certificate: Option<ClientCertificate>,
}

/// Paths of a client certificate and its key, both PEM.
#[derive(Clone, Debug)]
pub struct ClientCertificate {
    /// The certificate, followed by its issuers' certificates.
    pub certificate: PathBuf,
    /// Its private key.
    pub key: PathBuf,
}

impl FinanceTarget {
    /// The finance at `url`, called as the development user.
    #[must_use]
    pub fn in_development(url: Url) -> Self {
        let username = DEVELOPMENT_USERNAME.to_owned();
        Self { url, username, password: DEVELOPMENT_PASSWORD.into(), certificate: None }
    }

    /// Refuses the public development password for a finance on another machine: such a finance takes payments from
    /// anybody.
    ///
    /// # Errors
    /// When the password is that one and `server` is not for development.
    pub fn refuse_public_password(&self, server: &Server) -> anyhow::Result<()> {
        let is_public = self.password.expose_secret() == DEVELOPMENT_PASSWORD && !is_this_machine(&self.url);
        ensure!(
            !is_public || server.development,
            "{0}: the public development password must not be finance's at {1}; set --{0}-finance-password-file, or \
             --{0}-development=true",
            server.name,
            self.url.host_str().unwrap_or_default(),
        );
        Ok(())
    }
}

impl FinanceSettings {
    /// Returns the settings, with the missing ones from `otherwise`.
    ///
    /// # Errors
    /// When the password file cannot be read, or both the password and its file were given.
    pub fn resolve(self, otherwise: FinanceTarget) -> anyhow::Result<FinanceTarget> {
        let password = config::secret("--consultation-finance-password", self.password, self.password_file);
        let password = password.map_err(wrong_setting)?;
        let files = self.tls_certificate_file.zip(self.tls_key_file);
        Ok(FinanceTarget {
            certificate: files.map(|(certificate, key)| ClientCertificate { certificate, key }),
            url: self.url.unwrap_or(otherwise.url),
            username: self.username.unwrap_or(otherwise.username),
            password: password.unwrap_or(otherwise.password),
        })
    }
}

fn http_url(text: &str) -> Result<Url, String> {
    let url: Url = text.parse().map_err(|error| format!("{error}"))?;
    match url.scheme() {
        "http" | "https" if url.username().is_empty() && url.password().is_none() => Ok(url),
        "http" | "https" => Err("give the user name and password by their own settings".to_owned()),
        _ => Err("want an http or https URL".to_owned()),
    }
}

fn is_this_machine(url: &Url) -> bool {
    let host = url.host_str().unwrap_or_default();
    let address = host.trim_matches(['[', ']']).parse::<IpAddr>();
    address.map_or(host == "localhost", |address| address.to_canonical().is_loopback())
}
