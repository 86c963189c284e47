//! Wrong wall clocks, by libfaketime. A file holds the offset and may change at any time.

use std::{fs, path::PathBuf};

use anyhow::Context;

/// Paths of libfaketime on Debian and others.
const LIBRARIES: [&str; 4] = [
    "/usr/lib/x86_64-linux-gnu/faketime/libfaketimeMT.so.1",
    "/usr/lib/aarch64-linux-gnu/faketime/libfaketimeMT.so.1",
    "/usr/lib64/faketime/libfaketimeMT.so.1",
    "/usr/lib/faketime/libfaketimeMT.so.1",
];

/// A clock with the offset in its file.
#[derive(Clone, Debug)]
pub(crate) struct FakeClock {
    file: PathBuf,
    library: &'static str,
}

impl FakeClock {
    /// A clock that is right until it is set. An error where libfaketime is not installed.
    pub(crate) fn new(file: PathBuf) -> anyhow::Result<Self> {
        let library = LIBRARIES.into_iter().find(|library| fs::exists(library).unwrap_or(false));
        let clock = Self { file, library: library.context("libfaketime is not installed (Debian: libfaketime)")? };
        clock.set(0)?;
        Ok(clock)
    }

    /// Sets it this many seconds ahead of the machine's.
    pub(crate) fn set(&self, seconds: i64) -> anyhow::Result<()> {
        // A rename is atomic: no process reads half of it.
        let new = self.file.with_extension("new");
        fs::write(&new, format!("{seconds:+}\n"))?;
        Ok(fs::rename(new, &self.file)?)
    }

    /// Environment variables of a process with this clock.
    pub(crate) fn variables(&self) -> impl Iterator<Item = (String, String)> {
        let file = self.file.display().to_string();
        let pairs = [
            ("LD_PRELOAD", self.library.to_owned()),
            ("FAKETIME_TIMESTAMP_FILE", file),
            ("FAKETIME_NO_CACHE", "1".to_owned()),
            ("FAKETIME_DONT_FAKE_MONOTONIC", "1".to_owned()),
            ("DONT_FAKE_MONOTONIC", "1".to_owned()),
        ];
        pairs.into_iter().map(|(name, value)| (name.to_owned(), value))
    }
}
