//! The roles of users, from a group file as Apache's: `role: user user` lines.

use std::{collections::HashMap, sync::Arc};

use anyhow::{Context, ensure};

/// The roles of one user.
type Roles = Arc<[&'static str]>;

#[derive(Debug)]
pub(super) enum Groups {
    /// Without a group file every user has all roles.
    Equal(Roles),
    File(HashMap<String, Roles>),
}

impl Groups {
    /// Gives all roles to every user.
    pub(super) fn equal(roles: &[&'static str]) -> Self {
        Self::Equal(roles.into())
    }

    /// Reads the lines of a group file. Several lines of one role add up. A user need not be in the htpasswd file: then
    /// the order in which both files change does not matter.
    pub(super) fn parse(text: &str, known: &[&'static str]) -> anyhow::Result<Self> {
        let mut users: HashMap<String, Vec<&'static str>> = HashMap::new();
        for (number, line) in text.lines().enumerate().map(|(index, line)| (index + 1, line.trim())) {
            if line.is_empty() || line.starts_with('#') {
                continue;
            }
            let group = line.split_once(':');
            let (name, members) = group.with_context(|| format!("line {number}: want ROLE: USER USER"))?;
            let role = known.iter().copied().find(|role| *role == name.trim());
            let role = role.with_context(|| {
                format!("line {number}: {:?} is no role; the roles are {}", name.trim(), known.join(", "))
            })?;
            for user in members.split_whitespace() {
                let roles = users.entry(user.to_owned()).or_default();
                if !roles.contains(&role) {
                    roles.push(role);
                }
            }
        }
        ensure!(!users.is_empty(), "gives no user a role");
        Ok(Self::File(users.into_iter().map(|(user, roles)| (user, roles.into())).collect()))
    }

    /// The roles of a user.
    pub(super) fn of(&self, user: &str) -> Roles {
        match self {
            Self::Equal(all) => Arc::clone(all),
            Self::File(users) => users.get(user).cloned().unwrap_or_default(),
        }
    }
}
