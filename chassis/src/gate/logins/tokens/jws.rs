//! A signed token (JWS, RFC 7515) in its compact form, and the check of its signature.
//!
//! Our own rather than the crate jsonwebtoken. With ring, which TLS brings, its provider would be as long as this file, and
//! the fit of algorithm and key, `crit`, `typ`, sizes and the types of claims would be ours to check all the same.

use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use serde::{Deserialize, Deserializer, de::IgnoredAny};
use serde_json::Value;

use super::{
    defect::Defect,
    keys::{Algorithm, Key},
};

/// Longest token. Headers of a request may have 32 KiB, and usual tokens take one or two.
const MAX_BYTES: usize = 8 * 1024;

/// A token whose signature was not checked yet.
pub(super) struct Jws<'a> {
    pub(super) algorithm: Algorithm,
    /// Id of the key.
    pub(super) kid: Option<String>,
    /// Header and payload, as they are signed.
    signed: &'a str,
    payload: &'a str,
    signature: Vec<u8>,
}

/// The header. All else in it is ignored, above all keys that the token brings or names itself: `jwk`, `jku`, `x5c`, `x5u`.
#[derive(Deserialize)]
struct Header {
    alg: String,
    kid: Option<String>,
    typ: Option<String>,
    #[serde(default, deserialize_with = "present")]
    crit: bool,
}

/// Whatever the value: `null` is one too.
fn present<'de, D: Deserializer<'de>>(value: D) -> Result<bool, D::Error> {
    IgnoredAny::deserialize(value).map(|_| true)
}

impl<'a> Jws<'a> {
    pub(super) fn parse(token: &'a str) -> Result<Self, Defect> {
        if token.len() > MAX_BYTES {
            return Err(Defect::TooLarge);
        }
        let (signed, signature) = token.rsplit_once('.').ok_or(Defect::Malformed)?;
        let (header, payload) = signed.split_once('.').ok_or(Defect::Malformed)?;
        let header: Header = serde_json::from_slice(&decode(header)?).map_err(|_| Defect::Malformed)?;
        if header.crit {
            return Err(Defect::Critical);
        }
        if !header.typ.as_deref().is_none_or(is_access_token) {
            return Err(Defect::Type);
        }
        let algorithm = Algorithm::of(&header.alg).ok_or(Defect::Algorithm)?;
        Ok(Self { algorithm, kid: header.kid, signed, payload, signature: decode(signature)? })
    }

    /// Returns the claims of a token that `key` has signed.
    pub(super) fn verify(&self, key: &Key) -> Result<Value, Defect> {
        if key.algorithm() != self.algorithm || !key.has_signed(self.signed.as_bytes(), &self.signature) {
            return Err(Defect::Signature);
        }
        serde_json::from_slice(&decode(self.payload)?).map_err(|_| Defect::Malformed)
    }
}

/// The type of an access token is `at+jwt` (RFC 9068); older issuers write `JWT` or nothing. Other types are for other
/// purposes: `logout+jwt`, `secevent+jwt`, `dpop+jwt`.
fn is_access_token(typ: &str) -> bool {
    ["at+jwt", "application/at+jwt", "JWT"].iter().any(|accepted| typ.eq_ignore_ascii_case(accepted))
}

fn decode(part: &str) -> Result<Vec<u8>, Defect> {
    BASE64_URL_SAFE_NO_PAD.decode(part).map_err(|_| Defect::Malformed)
}
