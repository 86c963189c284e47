//! Warnings and errors in a replica's log.

use std::{
    fs::File,
    io::{Read, Seek, SeekFrom},
    path::PathBuf,
};

/// A service logs once that it is not ready. That holds until it is ready or another process has started.
const NOT_READY: &str = ": not ready: ";
const READY: [&str; 2] = [": ready", ", in a browser "];

/// A log from the last read position on.
#[derive(Debug)]
pub(super) struct Tail {
    file: PathBuf,
    offset: u64,
    /// Whether the last line about readiness says that it is not ready.
    is_not_ready: bool,
}

impl Tail {
    pub(super) fn of(file: PathBuf) -> Self {
        Self { file, offset: 0, is_not_ready: false }
    }

    /// Whether there is a new line of level WARN or ERROR, or the service is still not ready.
    pub(super) fn complains(&mut self) -> bool {
        let mut text = String::new();
        // The file is created at the replica's first start.
        let Ok(mut file) = File::open(&self.file) else { return false };
        if file.seek(SeekFrom::Start(self.offset)).is_err() || file.read_to_string(&mut text).is_err() {
            return false;
        }
        self.offset += text.len() as u64;
        let mut complains = self.is_not_ready;
        for line in text.lines() {
            complains |= matches!(line.split_whitespace().nth(1), Some("WARN" | "ERROR"));
            if line.contains(NOT_READY) {
                self.is_not_ready = true;
            } else if READY.iter().any(|ready| line.contains(ready)) {
                self.is_not_ready = false;
            }
        }
        complains
    }
}
