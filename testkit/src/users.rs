//! Users with roles.

use std::{fs, path::PathBuf};

use chassis::config::Access;
use tempfile::TempDir;

/// bcrypt's lowest cost.
const FAST: u32 = 4;

/// An htpasswd file and its group file: one user for each role, with its name, and `nobody`, who has none. All have the
/// development password.
#[derive(Debug)]
pub struct RoleUsers(TempDir);

impl RoleUsers {
    /// The users of these roles.
    #[must_use]
    pub fn of(roles: &[&str]) -> Self {
        let users = Self::equal(&[roles, &["nobody"]].concat());
        let groups: Vec<_> = roles.iter().map(|role| format!("{role}: {role}")).collect();
        fs::write(users.groups(), groups.join("\n")).expect("written");
        users
    }

    /// Users of these names without a group file: each has all roles.
    #[must_use]
    pub fn equal(names: &[&str]) -> Self {
        let directory = tempfile::tempdir().expect("a directory");
        let hash = bcrypt::hash("teste123", FAST).expect("a hash");
        let users: Vec<_> = names.iter().map(|name| format!("{name}:{hash}")).collect();
        fs::write(directory.path().join("users"), users.join("\n")).expect("written");
        Self(directory)
    }

    /// The setting of a service.
    #[must_use]
    pub fn access(&self) -> Access {
        let groups = Some(self.groups()).filter(|file| file.exists());
        Access::HtpasswdFile { users: self.0.path().join("users"), groups }
    }

    fn groups(&self) -> PathBuf {
        self.0.path().join("groups")
    }
}
