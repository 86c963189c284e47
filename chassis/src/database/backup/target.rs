//! File of a backup: under a temporary name until it is complete, then under its final one. An existing file is never
//! overwritten.

use std::{
    fs::{self, File, OpenOptions, TryLockError},
    io,
    os::unix::fs::{MetadataExt, OpenOptionsExt},
    path::{Path, PathBuf},
};

use anyhow::{Context, bail, ensure};

use crate::database::{private_file::FILE_MODE, wal::beside};

/// A backup in progress. Dropped before it is finished, it removes its files.
pub(super) struct Target {
    file: PathBuf,
    partial: PathBuf,
    /// Locked while open, so that another backup's partial file is not taken for the remains of a killed one.
    handle: File,
    is_named: bool,
}

impl Target {
    /// Creates the empty partial file: SQLite fills an empty file, so its permissions are right from the start.
    pub(super) fn new(file: &Path) -> anyhow::Result<Self> {
        ensure!(fs::symlink_metadata(file).is_err(), "{} exists; a backup overwrites nothing", file.display());
        let partial = beside(file, ".partial");
        remove_left_over(&partial)?;
        let options = || -> io::Result<File> {
            OpenOptions::new().read(true).write(true).create_new(true).mode(FILE_MODE).open(&partial)
        };
        let handle = options().with_context(|| format!("cannot create {}", partial.display()))?;
        lock(&handle, &partial)?;
        let journal = beside(&partial, "-journal");
        match fs::remove_file(&journal) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                return Err(error).with_context(|| format!("cannot remove {}", journal.display()));
            }
            _ => {}
        }
        Ok(Self { file: file.to_owned(), partial, handle, is_named: false })
    }

    /// Path of the partial file.
    pub(super) fn partial(&self) -> &Path {
        &self.partial
    }

    /// Syncs the content, then gives it its final name. Returns the size in bytes.
    pub(super) fn finish(mut self) -> io::Result<u64> {
        self.handle.sync_all()?;
        let size = self.handle.metadata()?.len();
        match fs::hard_link(&self.partial, &self.file) {
            Ok(()) => fs::remove_file(&self.partial)?,
            // Created by another process meanwhile.
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => return Err(error),
            // A file system without hard links.
            Err(_) => fs::rename(&self.partial, &self.file)?,
        }
        self.is_named = true;
        // Without this the name may be lost in a power failure.
        let directory = self.file.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
        File::open(directory)?.sync_all()?;
        Ok(size)
    }
}

impl Drop for Target {
    fn drop(&mut self) {
        // After `finish` a partial file belongs to another backup.
        if !self.is_named {
            let _ = fs::remove_file(&self.partial);
            let _ = fs::remove_file(beside(&self.partial, "-journal"));
        }
    }
}

/// Removes the remains of a killed backup. A new file is created rather than the old one truncated: a backup killed
/// between its last two steps leaves a second name of a complete one.
fn remove_left_over(partial: &Path) -> anyhow::Result<()> {
    let old = match OpenOptions::new().read(true).write(true).open(partial) {
        Ok(old) => old,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(error).with_context(|| format!("cannot open {}", partial.display())),
    };
    lock(&old, partial)?;
    // Another backup may have finished, and a third begun, between the two calls.
    let (locked, named) = (old.metadata()?, fs::symlink_metadata(partial));
    let is_same = named.is_ok_and(|named| (named.dev(), named.ino()) == (locked.dev(), locked.ino()));
    ensure!(is_same, "another backup to {} is under way", partial.display());
    fs::remove_file(partial).with_context(|| format!("cannot remove {}", partial.display()))
}

fn lock(handle: &File, partial: &Path) -> anyhow::Result<()> {
    match handle.try_lock() {
        Ok(()) => Ok(()),
        Err(TryLockError::WouldBlock) => bail!("another backup to {} is under way", partial.display()),
        Err(TryLockError::Error(error)) => Err(error).with_context(|| format!("cannot lock {}", partial.display())),
    }
}
