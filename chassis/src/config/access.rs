//! Credentials of HTTP Basic: one user with a password, or an htpasswd file with a group file; secrets given directly or
//! in files.

use std::path::{Path, PathBuf};

use anyhow::{Context, bail, ensure};
use secrecy::{ExposeSecret, SecretString};

/// User name of the development set-up.
pub const DEVELOPMENT_USERNAME: &str = "admin";
/// Password of the development set-up. It is public: on an address that other machines can reach, a service refuses it
/// unless the development flag is set.
pub const DEVELOPMENT_PASSWORD: &str = "teste123";

/// Users that may call the service with HTTP Basic.
#[derive(Clone, Debug)]
pub enum Access {
    /// One user.
    User {
        /// The name.
        username: String,
        /// The password.
        password: SecretString,
    },
    /// The users of an htpasswd file.
    HtpasswdFile {
        /// The htpasswd file, with bcrypt or argon2 hashes.
        users: PathBuf,
        /// The group file with their roles; without one each has all.
        groups: Option<PathBuf>,
    },
    /// Nobody: only tokens are accepted.
    TokensOnly,
}

impl std::fmt::Display for Access {
    /// For the start-up message: shows the password only if it is the public one.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::User { username, password } if password.expose_secret() == DEVELOPMENT_PASSWORD => {
                write!(f, "user {username}, password {DEVELOPMENT_PASSWORD} (development only)")
            }
            Self::User { username, .. } => write!(f, "user {username}"),
            Self::HtpasswdFile { users, .. } => write!(f, "users of {}", users.display()),
            Self::TokensOnly => f.write_str("tokens only"),
        }
    }
}

/// A secret, given directly or, better, in a file. A line break at the end of the file is ignored. With a file, an
/// empty value counts as unset: one Compose file can then override the value of another.
///
/// # Errors
/// When the secret is empty, its file cannot be read, or both were given.
pub fn secret(name: &str, value: Option<SecretString>, file: Option<PathBuf>) -> anyhow::Result<Option<SecretString>> {
    let is_empty = value.as_ref().is_some_and(|value| value.expose_secret().is_empty());
    let Some(file) = file else {
        ensure!(!is_empty, "{name} is empty");
        return Ok(value);
    };
    if value.is_some() && !is_empty {
        bail!("give {name} or {name}-file, not both");
    }
    secret_file(name, &file).map(Some)
}

/// The secret in the file of the setting `name`. A line break at its end is ignored.
///
/// # Errors
/// When the file cannot be read, or is empty.
pub fn secret_file(name: &str, file: &Path) -> anyhow::Result<SecretString> {
    let text = std::fs::read_to_string(file).with_context(|| format!("{name}-file: cannot read {}", file.display()))?;
    match text.trim_end_matches(['\r', '\n']) {
        "" => bail!("{name}-file: {} is empty", file.display()),
        secret => Ok(secret.into()),
    }
}

/// Access by an htpasswd file if one is given, else by one user. Where tokens are accepted, that user must be given: the
/// public one would be a way around the issuer.
///
/// # Errors
/// When both were given, a group file without an htpasswd file, or the password file cannot be read.
pub fn access(
    prefix: &str,
    username: Option<String>,
    password: Option<SecretString>,
    password_file: Option<PathBuf>,
    htpasswd_file: Option<PathBuf>,
    groups_file: Option<PathBuf>,
    has_issuer: bool,
) -> anyhow::Result<Access> {
    let password = secret(&format!("--{prefix}-password"), password, password_file)?;
    match htpasswd_file {
        Some(_) if username.is_some() || password.is_some() => {
            bail!("give --{prefix}-htpasswd-file or a user name and password, not both")
        }
        Some(users) => Ok(Access::HtpasswdFile { users, groups: groups_file }),
        None if groups_file.is_some() => {
            bail!("--{prefix}-groups-file gives roles to the users of --{prefix}-htpasswd-file: give that too")
        }
        None if has_issuer && username.is_none() && password.is_none() => Ok(Access::TokensOnly),
        None if has_issuer && password.is_none() => {
            bail!("give --{prefix}-password-file for --{prefix}-username, or neither: then only tokens are accepted")
        }
        None => Ok(Access::User {
            username: username.unwrap_or_else(|| DEVELOPMENT_USERNAME.to_owned()),
            password: password.unwrap_or_else(|| DEVELOPMENT_PASSWORD.into()),
        }),
    }
}
