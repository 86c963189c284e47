//! Creates a SQLite file and its directory for their owner alone: the data are private. SQLite gives files beside it,
//! such as its log, the same permissions. Existing files keep theirs.

use std::{
    fs::{DirBuilder, OpenOptions},
    io,
    os::unix::fs::{DirBuilderExt, OpenOptionsExt},
    path::Path,
};

use sea_orm::DbErr;

/// No other user may enter the directory, nor read or write the file.
const DIRECTORY_MODE: u32 = 0o700;
pub(super) const FILE_MODE: u32 = 0o600;

/// Creates an empty `file` and its directories, where missing.
pub(super) fn create(file: &Path) -> Result<(), DbErr> {
    let cannot = |path: &Path, error: io::Error| DbErr::Custom(format!("cannot create {}: {error}", path.display()));
    if let Some(directory) = file.parent() {
        create_directory(directory).map_err(|error| cannot(directory, error))?;
    }
    // SQLite takes an empty file for a new database. An existing file is not opened: closing it would drop SQLite's
    // locks.
    match OpenOptions::new().write(true).create_new(true).mode(FILE_MODE).open(file) {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => Err(cannot(file, error)),
        _ => Ok(()),
    }
}

/// Creates a directory for database files, and its parents, where missing.
///
/// # Errors
/// When it cannot be created.
pub fn create_directory(directory: &Path) -> io::Result<()> {
    // The working directory.
    if directory.as_os_str().is_empty() {
        return Ok(());
    }
    DirBuilder::new().recursive(true).mode(DIRECTORY_MODE).create(directory)
}
