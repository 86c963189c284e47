//! Users with roles.

use std::fs;

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
        let directory = tempfile::tempdir().expect("a directory");
        let hash = bcrypt::hash("teste123", FAST).expect("a hash");
        let users: Vec<_> = roles.iter().chain([&"nobody"]).map(|role| format!("{role}:{hash}")).collect();
        let groups: Vec<_> = roles.iter().map(|role| format!("{role}: {role}")).collect();
        fs::write(directory.path().join("users"), users.join("\n")).expect("written");
        fs::write(directory.path().join("groups"), groups.join("\n")).expect("written");
        Self(directory)
    }

    /// The setting of a service.
    #[must_use]
    pub fn access(&self) -> Access {
        Access::HtpasswdFile { users: self.0.path().join("users"), groups: Some(self.0.path().join("groups")) }
    }
}
