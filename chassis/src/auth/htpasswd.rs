//! The users of an htpasswd file: `name:hash` lines with bcrypt (`htpasswd -B`) or argon2 hashes.
//!
//! The older formats (MD5, SHA-1, crypt, plain text) are refused: they do not protect a password.

use std::{collections::HashMap, path::Path};

use anyhow::Context;
use argon2::{Argon2, PasswordVerifier, password_hash::PasswordHashString};

#[derive(Debug)]
pub(super) struct Htpasswd {
    users: HashMap<String, PasswordHash>,
    /// Verified for unknown users, so that the time of an answer does not tell which names exist.
    decoy: PasswordHash,
}

#[derive(Clone, Debug)]
enum PasswordHash {
    Bcrypt(String),
    Argon2(PasswordHashString),
}

impl Htpasswd {
    pub(super) fn read(file: &Path) -> anyhow::Result<Self> {
        let text = std::fs::read_to_string(file).with_context(|| format!("cannot read {}", file.display()))?;
        let mut users = HashMap::new();
        for (number, line) in text.lines().enumerate().map(|(index, line)| (index + 1, line.trim())) {
            if line.is_empty() || line.starts_with('#') {
                continue;
            }
            let user = line.split_once(':').and_then(|(name, hash)| Some((name, PasswordHash::parse(hash)?)));
            let (name, hash) = user.with_context(|| {
                format!("{} line {number}: want NAME:HASH with a bcrypt or argon2 hash (htpasswd -B)", file.display())
            })?;
            users.insert(name.to_owned(), hash);
        }
        let decoy = users.values().next().cloned().with_context(|| format!("{} names no user", file.display()))?;
        Ok(Self { users, decoy })
    }

    /// Whether `password` is the user's. Takes as long as the hash is slow.
    pub(super) fn verify(&self, username: &str, password: &str) -> bool {
        let known = self.users.get(username);
        known.unwrap_or(&self.decoy).verify(password) && known.is_some()
    }
}

impl PasswordHash {
    fn parse(hash: &str) -> Option<Self> {
        if hash.starts_with("$argon2") {
            let hash = PasswordHashString::new(hash).ok()?;
            // The format allows parameters without a hash, which no password matches.
            return hash.password_hash().hash.is_some().then_some(Self::Argon2(hash));
        }
        hash.parse::<bcrypt::HashParts>().ok().map(|_| Self::Bcrypt(hash.to_owned()))
    }

    fn verify(&self, password: &str) -> bool {
        match self {
            Self::Bcrypt(hash) => bcrypt::verify(password, hash).unwrap_or(false),
            Self::Argon2(hash) => Argon2::default().verify_password(password.as_bytes(), &hash.password_hash()).is_ok(),
        }
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
}
