//! What a replica complains of in its log.

use std::{
    fs::File,
    io::{Read, Seek, SeekFrom},
    path::PathBuf,
};

/// A log, from where it was read last.
#[derive(Debug)]
pub(super) struct Tail {
    file: PathBuf,
    offset: u64,
}

impl Tail {
    pub(super) fn of(file: PathBuf) -> Self {
        Self { file, offset: 0 }
    }

    /// How many new lines are of level WARN or ERROR.
    pub(super) fn complaints(&mut self) -> usize {
        let mut text = String::new();
        // It is not there before the replica's first start.
        let Ok(mut file) = File::open(&self.file) else { return 0 };
        if file.seek(SeekFrom::Start(self.offset)).is_err() || file.read_to_string(&mut text).is_err() {
            return 0;
        }
        self.offset += text.len() as u64;
        let level = |line: &str| line.split_whitespace().nth(1).is_some_and(|word| word == "WARN" || word == "ERROR");
        text.lines().filter(|line| level(line)).count()
    }
}
