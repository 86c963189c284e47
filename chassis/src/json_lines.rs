//! Logs of JSON lines for machines, beside the log: in a file, or on a standard stream.
//!
//! A line is written before the event goes on, as one write of a few kilobytes to the system's cache: a queue would be
//! lossy, or would wait as well. No line is lost silently: while the disk is full lines are counted, the log says so
//! once, and the file how many are missing once it can be written again.

use std::{
    fs::{self, File, OpenOptions},
    io::{self, Write},
    os::unix::fs::{MetadataExt, OpenOptionsExt},
    path::{Path, PathBuf},
    str::FromStr,
    sync::{Mutex, PoisonError},
};

use anyhow::Context;
use chrono::SecondsFormat;
use serde::Serialize;

use crate::clock;

/// No other user may read who did what.
const FILE_MODE: u32 = 0o600;

/// The setting of such a log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Destination {
    /// Standard output; standard error of a command, which prints its result.
    Standard,
    File(PathBuf),
}

/// An open log.
pub(crate) struct JsonLines {
    /// As in the setting `--NAME-log`.
    name: &'static str,
    writer: Mutex<Writer>,
}

impl FromStr for Destination {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "" => Err("want a file, or - for standard output".to_owned()),
            "-" => Ok(Self::Standard),
            file => Ok(Self::File(file.into())),
        }
    }
}

impl Destination {
    /// Opens the log of this name. A wrong setting is noticed at the start.
    pub(crate) fn open(&self, name: &'static str, serves: bool) -> anyhow::Result<JsonLines> {
        let target = match self {
            Self::Standard => Target::Standard(if serves { Box::new(io::stdout()) } else { Box::new(io::stderr()) }),
            Self::File(path) => {
                let file = open(path).with_context(|| format!("--{name}-log: cannot append to {}", path.display()))?;
                Target::File { file, path: path.clone() }
            }
        };
        Ok(JsonLines { name, writer: Mutex::new(Writer { target, missing: 0, is_torn: false }) })
    }
}

impl JsonLines {
    pub(crate) fn write(&self, line: &impl Serialize) {
        let line = serde_json::to_string(line).unwrap_or_default();
        self.writer.lock().unwrap_or_else(PoisonError::into_inner).write(&line, self.name);
    }
}

/// The time of a line.
pub(crate) fn now() -> String {
    clock::now().to_rfc3339_opts(SecondsFormat::Millis, true)
}

/// A line that tells of missing others.
#[derive(Serialize)]
struct Gap {
    time: String,
    target: &'static str,
    event: &'static str,
    count: usize,
}

struct Writer {
    target: Target,
    /// Lines that could not be written since the last one that could.
    missing: usize,
    /// The last write ended within a line.
    is_torn: bool,
}

enum Target {
    Standard(Box<dyn Write + Send>),
    File { file: File, path: PathBuf },
}

impl Writer {
    fn write(&mut self, line: &str, name: &'static str) {
        let mut text = String::with_capacity(line.len() + 1);
        if self.is_torn {
            text.push('\n');
        }
        if self.missing > 0 {
            let gap = Gap { time: now(), target: name, event: "gap", count: self.missing };
            text = text + &serde_json::to_string(&gap).unwrap_or_default() + "\n";
        }
        match self.append((text + line + "\n").as_bytes()) {
            Ok(()) => self.missing = 0,
            Err(error) => {
                if self.missing == 0 {
                    tracing::error!("the {name} log cannot be written, and lacks lines from now on: {error}");
                }
                self.missing += 1;
            }
        }
    }

    fn append(&mut self, bytes: &[u8]) -> io::Result<()> {
        let mut out = self.target.current()?;
        let mut rest = bytes;
        while !rest.is_empty() {
            match out.write(rest) {
                Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
                Ok(written) => rest = &rest[written..],
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
            self.is_torn = !rest.is_empty();
        }
        out.flush()
    }
}

impl Target {
    /// The file at the path. logrotate may have moved it away since the last line.
    fn current(&mut self) -> io::Result<Box<dyn Write + '_>> {
        match self {
            Self::Standard(stream) => Ok(Box::new(stream)),
            Self::File { file, path } => {
                let (open_now, at_path) = (file.metadata()?, fs::metadata(&path));
                let is_there =
                    at_path.is_ok_and(|at_path| (at_path.dev(), at_path.ino()) == (open_now.dev(), open_now.ino()));
                if !is_there {
                    *file = open(path)?;
                }
                Ok(Box::new(file))
            }
        }
    }
}

fn open(path: &Path) -> io::Result<File> {
    OpenOptions::new().append(true).create(true).mode(FILE_MODE).open(path)
}

#[cfg(test)]
mod tests;
