//! Where an issuer's keys come from: a file, or the issuer itself by OpenID Connect Discovery.

use std::{
    fs::File,
    io::Read,
    path::{Path, PathBuf},
    time::Duration,
};

use anyhow::{Context, bail, ensure};
use reqwest::{Client, StatusCode, Url, header};
use serde::Deserialize;
use tokio::time::timeout;

use super::keys::Keys;
use crate::{config::TokenIssuer, http_client};

/// Time to ask the issuer for its description and its keys.
pub(super) const FETCH_TIMEOUT: Duration = Duration::from_secs(5);
/// Bytes of a description or of keys. With certificates beside its keys, Entra sends 20 kB.
const MAX_BYTES: usize = 256 * 1024;

#[derive(Debug)]
pub(super) enum KeySource {
    File(PathBuf),
    Issuer { url: String, http: Client },
}

/// What an issuer says of itself.
#[derive(Deserialize)]
struct Description {
    issuer: String,
    jwks_uri: String,
}

impl KeySource {
    pub(super) fn of(issuer: &TokenIssuer) -> anyhow::Result<Self> {
        match &issuer.keys_file {
            Some(file) => Ok(Self::File(file.clone())),
            None => Ok(Self::Issuer { url: issuer.url.clone(), http: http_client::builder().build()? }),
        }
    }

    pub(super) async fn read(&self) -> anyhow::Result<Keys> {
        match self {
            Self::File(file) => read_file(file),
            Self::Issuer { url, http } => {
                let fetched = timeout(FETCH_TIMEOUT, fetch(url, http)).await;
                fetched.with_context(|| format!("{url} did not answer within {} s", FETCH_TIMEOUT.as_secs()))?
            }
        }
    }
}

pub(super) fn read_file(file: &Path) -> anyhow::Result<Keys> {
    let mut json = Vec::new();
    let limit = u64::try_from(MAX_BYTES)?;
    let read = File::open(file).and_then(|opened| opened.take(limit + 1).read_to_end(&mut json));
    read.with_context(|| format!("cannot read {}", file.display()))?;
    ensure!(json.len() <= MAX_BYTES, "{} is over {} kB", file.display(), MAX_BYTES / 1024);
    Keys::parse(&json).with_context(|| format!("cannot use {}", file.display()))
}

/// Fetches the keys by the issuer's description of itself.
async fn fetch(issuer: &str, http: &Client) -> anyhow::Result<Keys> {
    let description = format!("{}/.well-known/openid-configuration", issuer.trim_end_matches('/'));
    let described: Description = serde_json::from_slice(&get(http, description.parse()?).await?)
        .with_context(|| format!("{description} is no description of an issuer"))?;
    if described.issuer != issuer {
        bail!("{description} describes {:?}, not {issuer:?}", described.issuer);
    }
    let uri: Url = described.jwks_uri.parse().with_context(|| format!("{:?} is no URL", described.jwks_uri))?;
    ensure!(http_client::keeps_secrets(&uri), "the jwks_uri {uri} is neither https nor on this machine");
    Keys::parse(&get(http, uri.clone()).await?).with_context(|| format!("cannot use the keys at {uri}"))
}

async fn get(http: &Client, url: Url) -> anyhow::Result<Vec<u8>> {
    let failed = || format!("cannot fetch {url}");
    let answer = http.get(url.clone()).header(header::ACCEPT, "application/json").send().await.with_context(failed)?;
    ensure!(answer.status() == StatusCode::OK, "{url} answered {}", answer.status());
    http_client::read_body(answer, MAX_BYTES).await.with_context(failed)
}
