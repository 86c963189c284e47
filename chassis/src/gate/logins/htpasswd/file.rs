//! The htpasswd file, whose content is what counts: Kubernetes swaps links and Compose mounts single files, so neither
//! times nor file events tell everywhere.

use std::{
    fs,
    path::{Path, PathBuf},
    sync::{Mutex, PoisonError},
};

use anyhow::Context;

use super::Htpasswd;

#[derive(Debug)]
pub(in super::super) struct HtpasswdFile {
    pub(in super::super) path: PathBuf,
    /// What was found the last time, whether or not it could be used. Nothing: it could not be read.
    seen: Mutex<Option<String>>,
}

impl HtpasswdFile {
    pub(in super::super) fn open(path: &Path) -> anyhow::Result<(Self, Htpasswd)> {
        let file = Self { path: path.to_owned(), seen: Mutex::default() };
        let text = file.read()?;
        let htpasswd = file.parse(&text)?;
        Ok((Self { seen: Mutex::new(Some(text)), ..file }, htpasswd))
    }

    /// The users, if the file has changed since the last look. What is wrong with it is told once.
    pub(in super::super) fn changed(&self) -> anyhow::Result<Option<Htpasswd>> {
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        match self.read() {
            Ok(text) if seen.as_ref() == Some(&text) => Ok(None),
            Ok(text) => self.parse(seen.insert(text)).map(Some),
            Err(_) if seen.is_none() => Ok(None),
            Err(error) => {
                *seen = None;
                Err(error)
            }
        }
    }

    fn read(&self) -> anyhow::Result<String> {
        fs::read_to_string(&self.path).with_context(|| format!("cannot read {}", self.path.display()))
    }

    fn parse(&self, text: &str) -> anyhow::Result<Htpasswd> {
        Htpasswd::parse(text).map_err(|error| anyhow::anyhow!("{} {error}", self.path.display()))
    }
}
