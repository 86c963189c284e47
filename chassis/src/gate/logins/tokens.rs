//! Bearer tokens: JWTs that an OpenID Connect issuer has signed (RFC 9068).
//!
//! A token is parsed, its key found, its signature checked, then its claims. Its caller is remembered until it expires or
//! its key is withdrawn.

mod claims;
mod defect;
mod jws;
mod key_source;
mod key_store;
mod keys;
mod remembered;

use std::{net::IpAddr, sync::Arc};

use graphql_http::Caller;
use prometheus_client::metrics::gauge::Gauge;
use tokio::time::Instant;

use crate::{clock, config::TokenIssuer};
use claims::Claims;
pub(super) use defect::Defect;
use jws::Jws;
use key_store::{KeyStore, NoKey};
use remembered::Remembered;

#[derive(Debug)]
pub(super) struct Tokens {
    pub(super) issuer: TokenIssuer,
    /// The roles that tokens may give.
    roles: &'static [&'static str],
    keys: KeyStore,
    remembered: Remembered,
}

/// Why a token was not accepted.
pub(super) enum Refused {
    Defect {
        defect: Defect,
        /// The subject of a signed token.
        subject: Option<String>,
    },
    /// The issuer's keys are not known yet.
    NoKeys,
}

impl Tokens {
    /// # Errors
    /// When the file with the keys cannot be used.
    pub(super) fn of(issuer: &TokenIssuer, roles: &'static [&'static str]) -> anyhow::Result<Self> {
        let keys = KeyStore::open(issuer)?;
        Ok(Self { issuer: issuer.clone(), roles, keys, remembered: Remembered::default() })
    }

    /// The caller of a token that was verified before.
    pub(super) fn remembered(&self, token: &str) -> Option<Caller> {
        self.remembered.get(token, Instant::now())
    }

    /// Verifies a token and remembers its caller.
    pub(super) async fn verify(&self, token: &str) -> Result<Caller, Refused> {
        let jws = Jws::parse(token)?;
        let key = self.keys.find(&jws).await?;
        let claims = jws.verify(&key)?;
        let checked = Claims::check(&claims, &self.issuer, self.roles, clock::now());
        let Claims { subject, roles, remaining } = checked
            .map_err(|defect| Refused::Defect { defect, subject: claims::subject(&claims).map(str::to_owned) })?;
        let caller = Caller {
            name: self.name(&subject),
            roles,
            address: None,
            expired: key.withdrawn.clone(),
            expires_at: Instant::now().checked_add(remaining),
        };
        self.remembered.put(token, caller.clone());
        Ok(caller)
    }

    /// Who has sent a token that is not accepted, as far as it is signed.
    pub(super) fn stranger(&self, client: IpAddr, subject: Option<&str>) -> Caller {
        Caller { name: self.name(subject.unwrap_or_default()), address: Some(client), ..Caller::default() }
    }

    /// Unlike the names of users: those have no colon. An issuer has no `#`, so the first one ends it.
    fn name(&self, subject: &str) -> Arc<str> {
        format!("{}#{subject}", self.issuer.url).into()
    }

    /// When the issuer's keys were last read.
    pub(super) fn keys_read_at(&self) -> Gauge {
        self.keys.read_at.clone()
    }

    /// Renews the issuer's keys for ever.
    pub(super) async fn keep_renewed(&self) {
        self.keys.keep_renewed(&self.issuer.url).await;
    }
}

impl From<Defect> for Refused {
    fn from(defect: Defect) -> Self {
        Self::Defect { defect, subject: None }
    }
}

impl From<NoKey> for Refused {
    fn from(why: NoKey) -> Self {
        match why {
            NoKey::Defect(defect) => defect.into(),
            NoKey::NoneYet => Self::NoKeys,
        }
    }
}

#[cfg(test)]
mod tests {
    use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
    use ring::{
        rand::SystemRandom,
        signature::{Ed25519KeyPair, KeyPair},
    };
    use serde_json::json;
    use tempfile::NamedTempFile;

    use super::*;

    fn encode(bytes: impl AsRef<[u8]>) -> String {
        BASE64_URL_SAFE_NO_PAD.encode(bytes)
    }

    fn key() -> (Ed25519KeyPair, NamedTempFile) {
        let key = Ed25519KeyPair::generate_pkcs8(&SystemRandom::new()).expect("a key");
        let key = Ed25519KeyPair::from_pkcs8(key.as_ref()).expect("a key");
        let file = NamedTempFile::new().expect("a file");
        let jwk = json!({ "kty": "OKP", "crv": "Ed25519", "x": encode(key.public_key()) });
        std::fs::write(file.path(), json!({ "keys": [jwk] }).to_string()).expect("written");
        (key, file)
    }

    #[tokio::test]
    async fn a_remembered_token_costs_no_signature_check() {
        let ((key, file), (_, other)) = (key(), key());
        let setting = |file: &NamedTempFile| TokenIssuer {
            url: "https://issuer.example".to_owned(),
            audience: "api".to_owned(),
            keys_file: Some(file.path().to_owned()),
            roles_claim: "/roles".to_owned(),
        };
        let claims = json!({ "iss": "https://issuer.example", "sub": "ana", "aud": "api", "exp": 4_102_444_800_u64 });
        let signed = format!("{}.{}", encode(r#"{"alg":"EdDSA"}"#), encode(claims.to_string()));
        let token = format!("{signed}.{}", encode(key.sign(signed.as_bytes())));
        let mut tokens = Tokens::of(&setting(&file), &[]).expect("keys");
        assert!(tokens.remembered(&token).is_none());
        assert!(tokens.verify(&token).await.is_ok());

        // With keys that cannot check it: only its fingerprint is compared.
        tokens.keys = KeyStore::open(&setting(&other)).expect("keys");
        assert!(tokens.verify(&token).await.is_err());
        let caller = tokens.remembered(&token).expect("remembered");
        assert_eq!(&*caller.name, "https://issuer.example#ana");
        assert!(tokens.remembered(&format!("{signed}.x")).is_none());
    }
}
