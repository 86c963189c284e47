//! The log of a service: detects that it was deleted or replaced.

use std::{
    fs, io,
    os::unix::fs::MetadataExt,
    path::{Path, PathBuf},
};

use super::beside;

/// A log, identified by its inode. Only the file's attributes are read: closing a database file by other means than
/// SQLite would drop SQLite's locks on it.
#[derive(Clone, Debug)]
pub struct LogFile {
    path: PathBuf,
    inode: u64,
}

impl LogFile {
    /// The log of `file`, which the caller has open.
    ///
    /// # Errors
    /// When there is no log.
    pub fn of(file: &Path) -> io::Result<Self> {
        let path = beside(file, "-wal");
        let inode = fs::metadata(&path)?.ino();
        Ok(Self { path, inode })
    }

    /// Whether the log was deleted or replaced: later commits are lost.
    #[must_use]
    pub fn is_gone(&self) -> bool {
        match fs::metadata(&self.path) {
            Ok(log) => log.ino() != self.inode,
            Err(error) => error.kind() == io::ErrorKind::NotFound,
        }
    }
}
