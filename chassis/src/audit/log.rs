//! Where the audit log is written: a file, or a standard stream.
//!
//! A line is written before the event goes on, as one write of a few kilobytes to the system's cache: a queue would be
//! lossy, or would wait as well. No line is lost silently: while the disk is full lines are counted, the log says so
//! once, and the audit log how many are missing once it can be written again.

use std::{
    fs::{self, File, OpenOptions},
    io::{self, Write},
    os::unix::fs::{MetadataExt, OpenOptionsExt},
    path::{Path, PathBuf},
    str::FromStr,
    sync::{Mutex, OnceLock, PoisonError},
};

use anyhow::{Context, ensure};

use super::line::Line;

/// No other user may read who did what.
const FILE_MODE: u32 = 0o600;

static WRITER: OnceLock<Mutex<Writer>> = OnceLock::new();

/// The setting.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum AuditLog {
    /// Standard output; standard error of a command, which prints its result.
    Standard,
    File(PathBuf),
}

impl FromStr for AuditLog {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "" => Err("want a file, or - for standard output".to_owned()),
            "-" => Ok(Self::Standard),
            file => Ok(Self::File(file.into())),
        }
    }
}

impl AuditLog {
    /// Opens the audit log of this process. A wrong setting is noticed at the start. Call it once.
    pub(crate) fn start(&self, serves: bool) -> anyhow::Result<()> {
        ensure!(WRITER.set(Mutex::new(self.open(serves)?)).is_ok(), "the audit log was started before");
        Ok(())
    }

    fn open(&self, serves: bool) -> anyhow::Result<Writer> {
        let target = match self {
            Self::Standard => Target::Standard(if serves { Box::new(io::stdout()) } else { Box::new(io::stderr()) }),
            Self::File(path) => {
                let file = open(path).with_context(|| format!("--audit-log: cannot append to {}", path.display()))?;
                Target::File { file, path: path.clone() }
            }
        };
        Ok(Writer { target, missing: 0, is_torn: false })
    }
}

/// Whether this process writes an audit log.
pub(super) fn is_on() -> bool {
    WRITER.get().is_some()
}

pub(super) fn write(line: &Line<'_>) {
    if let Some(writer) = WRITER.get() {
        writer.lock().unwrap_or_else(PoisonError::into_inner).write(&line.to_json());
    }
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
    fn write(&mut self, line: &str) {
        let mut text = String::with_capacity(line.len() + 1);
        if self.is_torn {
            text.push('\n');
        }
        if self.missing > 0 {
            text = text + &Line::gap(self.missing).to_json() + "\n";
        }
        match self.append((text + line + "\n").as_bytes()) {
            Ok(()) => self.missing = 0,
            Err(error) => {
                if self.missing == 0 {
                    tracing::error!("the audit log cannot be written, and lacks lines from now on: {error}");
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
