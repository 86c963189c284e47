//! The public keys of an issuer (JWKS, RFC 7517).

use std::sync::Arc;

use anyhow::{Context, ensure};
use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use ring::signature::{
    ECDSA_P256_SHA256_FIXED, ED25519, RSA_PKCS1_2048_8192_SHA256, RsaPublicKeyComponents, UnparsedPublicKey,
};
use serde::Deserialize;
use serde_json::Value;
use tokio_util::sync::CancellationToken;

use super::{defect::Defect, jws::Jws};

/// Keys of an issuer. It has two while it rotates them; Entra publishes about ten.
const MAX_KEYS: usize = 100;
/// 2048 bits.
const MIN_RSA_BYTES: usize = 256;
/// A coordinate of P-256, and a point of Ed25519.
const COORDINATE_BYTES: usize = 32;
/// Begins the uncompressed form of a point (SEC 1).
const UNCOMPRESSED: u8 = 4;

/// The accepted algorithms. None is symmetric: a public key must not be a secret.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Algorithm {
    Rs256,
    Es256,
    EdDsa,
}

/// A key that may sign tokens.
#[derive(Debug)]
pub(super) struct Key {
    id: Option<String>,
    public: PublicKey,
    /// Cancelled when the issuer has withdrawn the key.
    pub(super) withdrawn: CancellationToken,
}

#[derive(Debug, PartialEq, Eq)]
enum PublicKey {
    Rsa { n: Vec<u8>, e: Vec<u8> },
    P256(Vec<u8>),
    Ed25519(Vec<u8>),
}

/// The keys of an issuer; none before they are fetched.
#[derive(Debug, Default)]
pub(super) struct Keys(Vec<Arc<Key>>);

#[derive(Deserialize)]
struct Jwks {
    keys: Vec<Value>,
}

#[derive(Deserialize)]
struct Jwk {
    kty: String,
    kid: Option<String>,
    alg: Option<String>,
    #[serde(rename = "use")]
    purpose: Option<String>,
    key_ops: Option<Vec<String>>,
    crv: Option<String>,
    n: Option<String>,
    e: Option<String>,
    x: Option<String>,
    y: Option<String>,
}

impl Algorithm {
    pub(super) fn of(name: &str) -> Option<Self> {
        [Self::Rs256, Self::Es256, Self::EdDsa].into_iter().find(|algorithm| algorithm.name() == name)
    }

    fn name(self) -> &'static str {
        match self {
            Self::Rs256 => "RS256",
            Self::Es256 => "ES256",
            Self::EdDsa => "EdDSA",
        }
    }
}

impl Key {
    pub(super) fn algorithm(&self) -> Algorithm {
        match self.public {
            PublicKey::Rsa { .. } => Algorithm::Rs256,
            PublicKey::P256(_) => Algorithm::Es256,
            PublicKey::Ed25519(_) => Algorithm::EdDsa,
        }
    }

    pub(super) fn has_signed(&self, message: &[u8], signature: &[u8]) -> bool {
        let verified = match &self.public {
            PublicKey::Rsa { n, e } => {
                RsaPublicKeyComponents { n, e }.verify(&RSA_PKCS1_2048_8192_SHA256, message, signature)
            }
            PublicKey::P256(point) => {
                UnparsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, point).verify(message, signature)
            }
            PublicKey::Ed25519(point) => UnparsedPublicKey::new(&ED25519, point).verify(message, signature),
        };
        verified.is_ok()
    }
}

impl Keys {
    /// Reads a JWKS. As RFC 7517 wants, keys of other kinds and for other purposes are ignored.
    pub(super) fn parse(json: &[u8]) -> anyhow::Result<Self> {
        let Jwks { keys } = serde_json::from_slice(json).context("want a JWKS: {\"keys\": [...]}")?;
        ensure!(keys.len() <= MAX_KEYS, "there are {} keys, over {MAX_KEYS}", keys.len());
        let keys = keys.into_iter().filter_map(|key| Jwk::deserialize(key).ok()?.into_key());
        let keys: Vec<_> = keys.map(Arc::new).collect();
        ensure!(!keys.is_empty(), "there is no key for RS256, ES256 or EdDSA");
        Ok(Self(keys))
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The one key that fits a token.
    pub(super) fn of(&self, token: &Jws<'_>) -> Result<Arc<Key>, Defect> {
        let fits = |key: &&Arc<Key>| key.algorithm() == token.algorithm && (token.kid.is_none() || token.kid == key.id);
        let mut fitting = self.0.iter().filter(fits);
        match (fitting.next(), fitting.next()) {
            (Some(key), None) => Ok(Arc::clone(key)),
            (None, _) => Err(Defect::UnknownKey),
            (Some(_), Some(_)) => Err(Defect::AmbiguousKey),
        }
    }

    /// Replaces these keys by `new` ones. Keys that are in both go on, the others are withdrawn. Returns whether anything
    /// has changed.
    pub(super) fn replace(&mut self, new: Self) -> bool {
        let is_same = |one: &Arc<Key>, other: &Arc<Key>| one.id == other.id && one.public == other.public;
        let old = std::mem::take(&mut self.0);
        let carried = new.0.into_iter().map(|key| old.iter().find(|old| is_same(old, &key)).map_or(key, Arc::clone));
        self.0 = carried.collect();
        let gone: Vec<_> = old.iter().filter(|old| !self.0.iter().any(|key| Arc::ptr_eq(old, key))).collect();
        for key in &gone {
            key.withdrawn.cancel();
        }
        !gone.is_empty() || self.0.len() != old.len()
    }
}

impl Jwk {
    fn into_key(self) -> Option<Key> {
        let is_for_tokens = self.purpose.as_deref().is_none_or(|purpose| purpose == "sig")
            && self.key_ops.as_ref().is_none_or(|ops| ops.iter().any(|op| op == "verify"));
        let key = Key { public: self.public()?, id: self.kid, withdrawn: CancellationToken::new() };
        let is_for_algorithm = self.alg.as_deref().is_none_or(|alg| alg == key.algorithm().name());
        (is_for_tokens && is_for_algorithm).then_some(key)
    }

    fn public(&self) -> Option<PublicKey> {
        let bytes = |text: &Option<String>| BASE64_URL_SAFE_NO_PAD.decode(text.as_ref()?).ok();
        let coordinate = |text| bytes(text).filter(|bytes| bytes.len() == COORDINATE_BYTES);
        match (self.kty.as_str(), self.crv.as_deref()) {
            ("RSA", _) => {
                let (n, e) = (bytes(&self.n)?, bytes(&self.e)?);
                (n.len() >= MIN_RSA_BYTES).then_some(PublicKey::Rsa { n, e })
            }
            ("EC", Some("P-256")) => {
                let (x, y) = (coordinate(&self.x)?, coordinate(&self.y)?);
                Some(PublicKey::P256([vec![UNCOMPRESSED], x, y].concat()))
            }
            ("OKP", Some("Ed25519")) => coordinate(&self.x).map(PublicKey::Ed25519),
            _ => None,
        }
    }
}
