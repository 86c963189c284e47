//! The OpenID Connect issuer whose tokens a service accepts.

#![expect(
    clippy::missing_errors_doc,
    reason = "each fails for a value of another format, or for settings that contradict"
)]

use std::path::PathBuf;

use anyhow::{bail, ensure};
use reqwest::Url;

use crate::http_client;

/// Longest URL of an issuer: it is a part of each caller's name.
const MAX_ISSUER_CHARS: usize = 255;

/// Default of the claim with the roles.
pub const DEFAULT_ROLES_CLAIM: &str = "/roles";

/// The issuer whose tokens a service accepts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TokenIssuer {
    /// The claim `iss`, exactly. It is also the URL below which the issuer describes itself.
    pub url: String,
    /// The claim `aud`: the name of this service at the issuer.
    pub audience: String,
    /// File with the issuer's keys (JWKS); `None` asks the issuer.
    pub keys_file: Option<PathBuf>,
    /// JSON pointer to the claim with the roles.
    pub roles_claim: String,
}

/// The issuer, or `None` if no tokens are accepted.
pub fn token_issuer(
    prefix: &str,
    url: Option<String>,
    audience: Option<String>,
    keys_file: Option<PathBuf>,
    roles_claim: String,
) -> anyhow::Result<Option<TokenIssuer>> {
    let Some(url) = url else {
        ensure!(
            audience.is_none() && keys_file.is_none(),
            "--{prefix}-token-audience and --{prefix}-token-keys-file belong to --{prefix}-token-issuer: give that too"
        );
        return Ok(None);
    };
    let Some(audience) = audience.filter(|audience| !audience.is_empty()) else {
        bail!(
            "--{prefix}-token-issuer needs --{prefix}-token-audience: without it tokens for other services would be accepted"
        );
    };
    Ok(Some(TokenIssuer { url, audience, keys_file, roles_claim }))
}

/// Parses the URL of an issuer. The text is kept as it is: a token must have the same.
pub fn issuer_url(text: &str) -> Result<String, String> {
    let url: Url = text.parse().map_err(|error| format!("{error}"))?;
    let has_user = !url.username().is_empty() || url.password().is_some();
    let is_plain = url.query().is_none() && url.fragment().is_none() && !has_user;
    if !is_plain || text.chars().count() > MAX_ISSUER_CHARS {
        return Err(format!("want a URL without user, query and fragment, of at most {MAX_ISSUER_CHARS} characters"));
    }
    if !http_client::keeps_secrets(&url) {
        return Err("want an https URL, or http on a loopback address".to_owned());
    }
    Ok(text.to_owned())
}

/// Parses a JSON pointer (RFC 6901).
pub fn json_pointer(text: &str) -> Result<String, String> {
    if text.starts_with('/') {
        return Ok(text.to_owned());
    }
    Err("want a JSON pointer, as in /roles or /realm_access/roles; write ~1 for a / in a name".to_owned())
}
