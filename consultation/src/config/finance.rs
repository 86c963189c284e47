//! The finance that payments go to, and the credentials for it.

use std::path::PathBuf;

use anyhow::{bail, ensure};
use chassis::{
    cli::wrong_setting,
    config::{self, DEVELOPMENT_PASSWORD, DEVELOPMENT_USERNAME, Server},
    http_client,
};
use clap::Args;
use reqwest::Url;
use secrecy::{ExposeSecret, SecretString};

const PASSWORD: &str = "--consultation-finance-password";

/// The finance that payments go to.
#[derive(Clone, Debug, Args)]
#[group(skip)]
pub struct FinanceSettings {
    /// Finance's GraphQL endpoint [default: http://127.0.0.1:8020/graphql; all-in-one: its own finance]
    #[arg(long = "consultation-finance-url", env = "CONSULTATION_FINANCE_URL")]
    #[arg(global = true, value_name = "URL", value_parser = http_url, hide_env_values = true)]
    url: Option<Url>,
    /// User name for finance [default: admin; all-in-one: finance's own]
    #[arg(long = "consultation-finance-username", env = "CONSULTATION_FINANCE_USERNAME")]
    #[arg(global = true, value_name = "NAME", value_parser = config::username, hide_env_values = true)]
    username: Option<String>,
    /// Password for finance [default: teste123, for development only; all-in-one: finance's own]
    #[arg(long = "consultation-finance-password", env = "CONSULTATION_FINANCE_PASSWORD")]
    #[arg(global = true, value_name = "PASSWORD", hide_env_values = true)]
    password: Option<SecretString>,
    /// File that holds the password for finance; read for each call
    #[arg(long = "consultation-finance-password-file", env = "CONSULTATION_FINANCE_PASSWORD_FILE")]
    #[arg(global = true, value_name = "FILE")]
    password_file: Option<PathBuf>,
    /// File that holds a bearer token for finance, in place of a user name and password; read for each call
    #[arg(long = "consultation-finance-token-file", env = "CONSULTATION_FINANCE_TOKEN_FILE")]
    #[arg(global = true, value_name = "FILE")]
    token_file: Option<PathBuf>,
    /// File with the client certificate (PEM) for a finance that asks for one; changes apply without a restart
    #[arg(long = "consultation-finance-tls-certificate-file", env = "CONSULTATION_FINANCE_TLS_CERTIFICATE_FILE")]
    #[arg(global = true, value_name = "FILE", requires = "tls_key_file")]
    tls_certificate_file: Option<PathBuf>,
    /// File with the client certificate's private key (PEM)
    #[arg(long = "consultation-finance-tls-key-file", env = "CONSULTATION_FINANCE_TLS_KEY_FILE")]
    #[arg(global = true, value_name = "FILE", requires = "tls_certificate_file")]
    tls_key_file: Option<PathBuf>,
}

/// The address of finance and the credentials for it.
#[derive(Clone, Debug)]
pub struct FinanceTarget {
    /// GraphQL endpoint of finance.
    pub url: Url,
    /// Who calls it.
    pub credentials: Credentials,
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

/// Credentials for finance.
#[derive(Clone, Debug)]
pub enum Credentials {
    /// HTTP Basic.
    Password {
        /// User name.
        username: String,
        /// Password.
        password: Password,
    },
    /// A file with a bearer token. It is read for each call: tokens are short-lived.
    TokenFile(PathBuf),
}

/// The password for finance.
#[derive(Clone, Debug)]
pub enum Password {
    /// Given by a setting.
    Given(SecretString),
    /// In a file, which is read for each call: a new password needs no restart.
    File(PathBuf),
}

impl Password {
    /// The password as it is now.
    ///
    /// # Errors
    /// When the file cannot be read, or is empty.
    pub fn read(&self) -> anyhow::Result<SecretString> {
        match self {
            Self::Given(password) => Ok(password.clone()),
            Self::File(file) => config::secret_file(PASSWORD, file),
        }
    }
}

impl FinanceTarget {
    /// The finance at `url`, called as the development user.
    #[must_use]
    pub fn in_development(url: Url) -> Self {
        let (username, password) = (DEVELOPMENT_USERNAME.to_owned(), Password::Given(DEVELOPMENT_PASSWORD.into()));
        Self { url, credentials: Credentials::Password { username, password }, certificate: None }
    }

    /// Refuses the public development password for a finance on another machine: such a finance takes payments from
    /// anybody.
    ///
    /// # Errors
    /// When the password is that one and `server` is not for development, or the password's file cannot be read.
    pub fn refuse_public_password(&self, server: &Server) -> anyhow::Result<()> {
        let Credentials::Password { password, .. } = &self.credentials else { return Ok(()) };
        let is_public =
            password.read()?.expose_secret() == DEVELOPMENT_PASSWORD && !http_client::is_this_machine(&self.url);
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
    /// When the password file cannot be read, several of password, its file and a token file were given, or others could
    /// read the token on its way.
    pub fn resolve(self, otherwise: FinanceTarget) -> anyhow::Result<FinanceTarget> {
        self.read(otherwise).map_err(wrong_setting)
    }

    fn read(self, otherwise: FinanceTarget) -> anyhow::Result<FinanceTarget> {
        let url = self.url.unwrap_or(otherwise.url);
        let own = config::secret(PASSWORD, self.password, self.password_file.clone())?;
        let own = own.map(|password| self.password_file.map_or(Password::Given(password), Password::File));
        let credentials = match (self.token_file, otherwise.credentials) {
            (Some(_), _) if self.username.is_some() || own.is_some() => {
                bail!("give --consultation-finance-token-file or a user name and password for finance, not both")
            }
            (Some(file), _) => {
                ensure!(
                    http_client::keeps_secrets(&url),
                    "--consultation-finance-token-file needs an https --consultation-finance-url, or a loopback one"
                );
                Credentials::TokenFile(file)
            }
            (None, Credentials::Password { username, password }) => {
                Credentials::Password { username: self.username.unwrap_or(username), password: own.unwrap_or(password) }
            }
            (None, token_file @ Credentials::TokenFile(_)) => token_file,
        };
        let files = self.tls_certificate_file.zip(self.tls_key_file);
        let certificate = files.map(|(certificate, key)| ClientCertificate { certificate, key });
        Ok(FinanceTarget { url, credentials, certificate })
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
