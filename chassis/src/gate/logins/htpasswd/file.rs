//! The htpasswd file. Its content is compared: Kubernetes swaps links and Compose mounts single files, so neither
//! modification times nor file events are reliable everywhere.

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
    /// The latest content, valid or not; `None` if it could not be read.
    seen: Mutex<Option<String>>,
}

impl HtpasswdFile {
    pub(in super::super) fn open(path: &Path) -> anyhow::Result<(Self, Htpasswd)> {
        let file = Self { path: path.to_owned(), seen: Mutex::default() };
        let text = file.read()?;
        let htpasswd = file.parse(&text)?;
        Ok((Self { seen: Mutex::new(Some(text)), ..file }, htpasswd))
    }

    /// The users, if the file has changed since the last call. An error is returned once.
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
