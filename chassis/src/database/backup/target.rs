//! The file of a backup: under a temporary name until it is complete, then under its own, which is never overwritten.

use std::{
    fs::{self, File, OpenOptions, TryLockError},
    io,
    os::unix::fs::{MetadataExt, OpenOptionsExt},
    path::{Path, PathBuf},
};

use anyhow::{Context, bail, ensure};

use crate::database::{private_file::FILE_MODE, wal::beside};

/// A backup that is being written. Dropped before it is finished, it leaves nothing.
pub(super) struct Target {
    file: PathBuf,
    partial: PathBuf,
    /// Locked as long as this is open, so that what another backup writes is not taken for the rest of a killed one.
    handle: File,
    has_its_name: bool,
}

impl Target {
    /// Begins `file`, empty: SQLite fills an empty file, and the rights of this one are right from the start.
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
        Ok(Self { file: file.to_owned(), partial, handle, has_its_name: false })
    }

    /// The temporary name.
    pub(super) fn partial(&self) -> &Path {
        &self.partial
    }

    /// Puts the content on the disk, then the name, and gives the size in bytes.
    pub(super) fn finish(mut self) -> io::Result<u64> {
        self.handle.sync_all()?;
        let size = self.handle.metadata()?.len();
        match fs::hard_link(&self.partial, &self.file) {
            Ok(()) => fs::remove_file(&self.partial)?,
            // Made by someone else meanwhile.
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => return Err(error),
            // A file system without links.
            Err(_) => fs::rename(&self.partial, &self.file)?,
        }
        self.has_its_name = true;
        // Without this the name may be gone after a power failure.
        let directory = self.file.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
        File::open(directory)?.sync_all()?;
        Ok(size)
    }
}

impl Drop for Target {
    fn drop(&mut self) {
        // What has the temporary name after `finish` is another backup's.
        if !self.has_its_name {
            let _ = fs::remove_file(&self.partial);
            let _ = fs::remove_file(beside(&self.partial, "-journal"));
        }
    }
}

/// Removes what a killed backup left. A new file is made rather than the old one emptied: killed between its two last
/// steps, it left a second name of a complete backup.
fn remove_left_over(partial: &Path) -> anyhow::Result<()> {
    let old = match OpenOptions::new().read(true).write(true).open(partial) {
        Ok(old) => old,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(error).with_context(|| format!("cannot open {}", partial.display())),
    };
    lock(&old, partial)?;
    // It may have been finished, and another begun, between the two calls.
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
