//! Makes the file of a SQLite database, and its directory, for its owner alone: patients are in it. SQLite gives what it puts
//! beside the file, its log among them, the same rights. What is there already keeps its own.

use std::{
    fs::{DirBuilder, OpenOptions},
    io,
    os::unix::fs::{DirBuilderExt, OpenOptionsExt},
    path::Path,
};

use sea_orm::DbErr;

/// Nobody else may enter the directory, nor read or write the file.
const DIRECTORY_MODE: u32 = 0o700;
pub(super) const FILE_MODE: u32 = 0o600;

/// Makes `file`, empty, and the directories it is in, where they are missing.
pub(super) fn create(file: &Path) -> Result<(), DbErr> {
    let cannot = |path: &Path, error: io::Error| DbErr::Custom(format!("cannot create {}: {error}", path.display()));
    if let Some(directory) = file.parent() {
        create_directory(directory).map_err(|error| cannot(directory, error))?;
    }
    // An empty file is a new database to SQLite. One that is there is not opened: to close it would drop SQLite's locks.
    match OpenOptions::new().write(true).create_new(true).mode(FILE_MODE).open(file) {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => Err(cannot(file, error)),
        _ => Ok(()),
    }
}

/// Makes a directory for database files, and those it is in, where they are missing.
///
/// # Errors
/// When it cannot be made.
pub fn create_directory(directory: &Path) -> io::Result<()> {
    // The working directory.
    if directory.as_os_str().is_empty() {
        return Ok(());
    }
    DirBuilder::new().recursive(true).mode(DIRECTORY_MODE).create(directory)
}
