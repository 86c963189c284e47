//! The htpasswd file, and the group file beside it. Their content is compared: Kubernetes swaps links and Compose mounts
//! single files, so neither modification times nor file events are reliable everywhere.

use std::{
    fs,
    path::{Path, PathBuf},
    sync::{Mutex, PoisonError},
};

use anyhow::Context;

use super::Htpasswd;
use crate::gate::logins::groups::Groups;

#[derive(Debug)]
pub(in super::super) struct HtpasswdFile {
    pub(in super::super) path: PathBuf,
    groups: Option<PathBuf>,
    /// The roles that the group file may give.
    roles: &'static [&'static str],
    /// The latest content, valid or not; `None` if it could not be read.
    seen: Mutex<Option<Texts>>,
}

/// The texts of both files.
#[derive(Debug, PartialEq, Eq)]
struct Texts {
    users: String,
    groups: Option<String>,
}

impl HtpasswdFile {
    pub(in super::super) fn open(
        path: &Path,
        groups: Option<&Path>,
        roles: &'static [&'static str],
    ) -> anyhow::Result<(Self, (Htpasswd, Groups))> {
        let (path, groups) = (path.to_owned(), groups.map(Path::to_owned));
        let file = Self { path, groups, roles, seen: Mutex::default() };
        let texts = file.read()?;
        let users = file.parse(&texts)?;
        Ok((Self { seen: Mutex::new(Some(texts)), ..file }, users))
    }

    /// The users and their roles, if a file has changed since the last call. An error is returned once.
    pub(in super::super) fn changed(&self) -> anyhow::Result<Option<(Htpasswd, Groups)>> {
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        match self.read() {
            Ok(texts) if seen.as_ref() == Some(&texts) => Ok(None),
            Ok(texts) => self.parse(seen.insert(texts)).map(Some),
            Err(_) if seen.is_none() => Ok(None),
            Err(error) => {
                *seen = None;
                Err(error)
            }
        }
    }

    fn read(&self) -> anyhow::Result<Texts> {
        let text = |path: &PathBuf| fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()));
        Ok(Texts { users: text(&self.path)?, groups: self.groups.as_ref().map(text).transpose()? })
    }

    fn parse(&self, texts: &Texts) -> anyhow::Result<(Htpasswd, Groups)> {
        let htpasswd =
            Htpasswd::parse(&texts.users).map_err(|error| anyhow::anyhow!("{} {error}", self.path.display()))?;
        let (Some(path), Some(text)) = (&self.groups, &texts.groups) else {
            return Ok((htpasswd, Groups::equal(self.roles)));
        };
        let groups = Groups::parse(text, self.roles)
            .map_err(|error| anyhow::anyhow!("the group file {} {error}", path.display()))?;
        Ok((htpasswd, groups))
    }
}
