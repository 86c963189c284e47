//! The users of an htpasswd file: `name:hash` lines with bcrypt (`htpasswd -B`) or argon2 hashes.
//!
//! The older formats (MD5, SHA-1, crypt, plain text) are refused: they do not protect a password.

mod file;
mod hash;

use std::collections::HashMap;

use anyhow::Context;

pub(super) use file::HtpasswdFile;
use hash::PasswordHash;

#[derive(Debug)]
pub(super) struct Htpasswd {
    users: HashMap<String, PasswordHash>,
    /// Verified for unknown users, so that response times do not reveal which names exist. It is the slowest hash.
    /// Names with a faster one can be detected, so hashes of equal cost protect best.
    decoy: PasswordHash,
}

impl Htpasswd {
    fn parse(text: &str) -> anyhow::Result<Self> {
        let mut users = HashMap::new();
        for (number, line) in text.lines().enumerate().map(|(index, line)| (index + 1, line.trim())) {
            if line.is_empty() || line.starts_with('#') {
                continue;
            }
            let user = line.split_once(':').and_then(|(name, hash)| Some((name, PasswordHash::parse(hash)?)));
            let (name, hash) = user
                .with_context(|| format!("line {number}: want NAME:HASH with a bcrypt or argon2 hash (htpasswd -B)"))?;
            users.insert(name.to_owned(), hash);
        }
        let slowest = users.values().max_by_key(|hash| hash.microseconds());
        let decoy = slowest.cloned().context("names no user")?;
        Ok(Self { users, decoy })
    }

    /// Whether `password` is the user's. Slow by design.
    pub(super) fn verify(&self, username: &str, password: &str) -> bool {
        let known = self.users.get(username);
        known.unwrap_or(&self.decoy).verify(password) && known.is_some()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn unknown_names_take_as_long_as_the_slowest_hash() {
        let argon2 = "$argon2id$v=19$m=16,t=2,p=1$c2FsdHNhbHQ$1fxAEvlCz2zOGLIVfDRQzA";
        let [fast, slow] = [4, 6].map(|cost| bcrypt::hash("secret", cost).expect("a hash"));
        for [one, two, three] in [[&fast, &slow, argon2], [argon2, &fast, &slow], [&slow, argon2, &fast]] {
            let lines = format!("one:{one}\ntwo:{two}\nthree:{three}");
            let htpasswd = Htpasswd::parse(&lines).expect("users");
            assert!(matches!(&htpasswd.decoy, PasswordHash::Bcrypt { hash, .. } if *hash == slow), "{lines}");
            assert!(!htpasswd.verify("unknown", "secret"));
        }
    }
}
