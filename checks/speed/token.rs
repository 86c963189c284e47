//! A bearer token of an issuer that exists as a file of keys alone.

use std::{fs, path::Path};

use anyhow::{Context, anyhow};
use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use ring::{
    rand::SystemRandom,
    signature::{Ed25519KeyPair, KeyPair},
};
use serde_json::json;

const ISSUER: &str = "https://issuer.example";
const AUDIENCE: &str = "clinic";
/// In the year 2100.
const EXPIRES_AT: u64 = 4_102_444_800;

pub(crate) struct Token {
    /// The value of the header Authorization.
    pub(crate) authorization: String,
    keys_file: String,
}

impl Token {
    /// Signs a token for the measured operations, and writes the key that verifies it into `directory`.
    pub(crate) fn issue(directory: &Path) -> anyhow::Result<Self> {
        let random = SystemRandom::new();
        let document = Ed25519KeyPair::generate_pkcs8(&random).map_err(|_| anyhow!("no key"))?;
        let key = Ed25519KeyPair::from_pkcs8(document.as_ref()).map_err(|error| anyhow!("{error}"))?;
        let jwk = json!({ "kty": "OKP", "crv": "Ed25519", "x": encode(key.public_key()) });
        let keys_file = directory.join("keys.json");
        fs::write(&keys_file, json!({ "keys": [jwk] }).to_string())?;
        let claims = json!({
            "iss": ISSUER, "aud": AUDIENCE, "sub": "speed", "exp": EXPIRES_AT, "roles": ["clinician", "service"],
        });
        let signed = format!("{}.{}", encode(r#"{"alg":"EdDSA"}"#), encode(claims.to_string()));
        let authorization = format!("Bearer {signed}.{}", encode(key.sign(signed.as_bytes())));
        Ok(Self { authorization, keys_file: keys_file.to_str().context("a path in UTF-8")?.to_owned() })
    }

    /// The settings of a service that accepts it, without their prefix.
    pub(crate) fn settings(&self) -> [(&'static str, &str); 3] {
        [("TOKEN_ISSUER", ISSUER), ("TOKEN_AUDIENCE", AUDIENCE), ("TOKEN_KEYS_FILE", &self.keys_file)]
    }
}

fn encode(bytes: impl AsRef<[u8]>) -> String {
    BASE64_URL_SAFE_NO_PAD.encode(bytes)
}
