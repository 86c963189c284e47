//! Password hashes, and the time to verify one.

use argon2::{Argon2, Params, PasswordVerifier, password_hash::PasswordHashString};

/// bcrypt ignores further bytes, and would accept any text after them.
const MAX_BCRYPT_BYTES: usize = 72;
/// Time of bcrypt with cost 0; each cost step doubles it. About 200 ms for the usual 12.
const BCRYPT_NANOSECONDS: u64 = 50_000;
/// Time of argon2 per KiB of memory and pass. About 40 ms for the usual 19 MiB and two passes.
const ARGON2_NANOSECONDS: u64 = 1_000;

#[derive(Clone, Debug)]
pub(super) enum PasswordHash {
    Bcrypt { hash: String, cost: u32 },
    Argon2 { hash: PasswordHashString, params: Params },
}

impl PasswordHash {
    pub(super) fn parse(hash: &str) -> Option<Self> {
        if hash.starts_with("$argon2") {
            let hash = PasswordHashString::new(hash).ok()?;
            let params = Params::try_from(&hash.password_hash()).ok()?;
            // The format allows parameters without a hash, which no password matches.
            return hash.password_hash().hash.is_some().then_some(Self::Argon2 { hash, params });
        }
        let parts: bcrypt::HashParts = hash.parse().ok()?;
        Some(Self::Bcrypt { hash: hash.to_owned(), cost: parts.get_cost() })
    }

    pub(super) fn verify(&self, password: &str) -> bool {
        match self {
            // Computed in any case, so that the time reveals nothing.
            Self::Bcrypt { hash, .. } => {
                bcrypt::verify(password, hash).unwrap_or(false) && password.len() <= MAX_BCRYPT_BYTES
            }
            Self::Argon2 { hash, .. } => {
                Argon2::default().verify_password(password.as_bytes(), &hash.password_hash()).is_ok()
            }
        }
    }

    /// Approximate time of [`Self::verify`], to compare hashes.
    pub(super) fn microseconds(&self) -> u64 {
        let nanoseconds = match self {
            Self::Bcrypt { cost, .. } => BCRYPT_NANOSECONDS << cost,
            Self::Argon2 { params, .. } => ARGON2_NANOSECONDS * u64::from(params.m_cost()) * u64::from(params.t_cost()),
        };
        nanoseconds / 1_000
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_slow_hashes_are_accepted() {
        let bcrypt = bcrypt::hash("secret", 4).expect("a hash");
        assert!(PasswordHash::parse(&bcrypt).is_some_and(|hash| hash.verify("secret") && !hash.verify("Secret")));
        let argon2 = "$argon2id$v=19$m=16,t=2,p=1$c2FsdHNhbHQ$1fxAEvlCz2zOGLIVfDRQzA";
        assert!(PasswordHash::parse(argon2).is_some());
        for weak in ["secret", "{SHA}5en6G6MezRroT3XKqkdPOmY/BfQ=", "$apr1$x$y", "", "$2y$"] {
            assert!(PasswordHash::parse(weak).is_none(), "{weak}");
        }
    }

    #[test]
    fn slower_hashes_are_known_by_their_parameters() {
        let microseconds = |hash: &str| PasswordHash::parse(hash).expect("a hash").microseconds();
        let bcrypt =
            |cost: &str| microseconds(&format!("$2y${cost}$abcdefghijklmnopqrstuuAPc3YzJxTOmS8KdLuqpp1DRsEXZJC3q"));
        let argon2 =
            |params: &str| microseconds(&format!("$argon2id$v=19${params}$c2FsdHNhbHQ$1fxAEvlCz2zOGLIVfDRQzA"));
        assert!(bcrypt("12") > bcrypt("10") && bcrypt("12") > argon2("m=19456,t=2,p=1"));
        assert!(argon2("m=65536,t=3,p=4") > argon2("m=19456,t=2,p=1") && argon2("m=19456,t=2,p=1") > bcrypt("05"));
    }
}
