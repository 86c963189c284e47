//! The log that a service writes to: whether it was deleted or replaced under it.

use std::{
    fs, io,
    os::unix::fs::MetadataExt,
    path::{Path, PathBuf},
};

use super::beside;

/// A log, known again by its inode. Only the file's attributes are read: to open and close a database file by other means than SQLite would drop SQLite's locks on it.
#[derive(Clone, Debug)]
pub struct LogFile {
    path: PathBuf,
    inode: u64,
}

impl LogFile {
    /// The log of `file`, which the caller has opened.
    ///
    /// # Errors
    /// When there is none.
    pub fn of(file: &Path) -> io::Result<Self> {
        let path = beside(file, "-wal");
        let inode = fs::metadata(&path)?.ino();
        Ok(Self { path, inode })
    }

    /// Whether it was deleted, or another was made in its place: what is committed from now on is lost.
    #[must_use]
    pub fn is_gone(&self) -> bool {
        match fs::metadata(&self.path) {
            Ok(log) => log.ino() != self.inode,
            Err(error) => error.kind() == io::ErrorKind::NotFound,
        }
    }
}
