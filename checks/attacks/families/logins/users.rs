//! Users with all kinds of hashes, for the attacks on logins.

use anyhow::anyhow;
use argon2::{
    Algorithm, Argon2, Params, Version,
    password_hash::{PasswordHasher, SaltString},
};

/// Cost of the honest user's hash: negligible.
const QUICK_COST: u32 = 4;
/// Cost 12 in a release build; an unoptimised build takes as long at cost 8.
const SLOW_COST: u32 = if cfg!(debug_assertions) { 8 } else { 12 };
/// Memory of argon2 in kibibytes, as OWASP recommends.
const ARGON2_MEMORY: u32 = 19 * 1024;
/// The htpasswd file.
pub(super) fn htpasswd() -> anyhow::Result<String> {
    let salt = SaltString::from_b64("c2FsdHNhbHRzYWx0").map_err(|error| anyhow!("{error}"))?;
    let params = Params::new(ARGON2_MEMORY, 2, 1, None).map_err(|error| anyhow!("{error}"))?;
    let argon2 = Argon2::new(Algorithm::Argon2id, Version::V0x13, params);
    let memory = argon2.hash_password(b"secret", &salt).map_err(|error| anyhow!("{error}"))?;
    let (quick, slow) = (bcrypt::hash("teste123", QUICK_COST)?, bcrypt::hash("secret", SLOW_COST)?);
    let long = bcrypt::hash("a".repeat(72), QUICK_COST)?;
    let users = [("admin", &quick), ("slow", &slow), ("late", &slow), ("long", &long), ("memory", &memory.to_string())];
    let users = users.map(|(name, hash)| format!("{name}:{hash}"));
    // Most users have a quick hash: a service that computes any user's hash for an unknown name computes one of these.
    let others = (0..20).map(|number| format!("quick{number}:{quick}"));
    Ok(users.into_iter().chain(others).collect::<Vec<_>>().join("\n"))
}
