//! Where the audit log is written: a file, or standard output.
//!
//! A line is written before the event goes on, as one write of a few kilobytes to the system's cache: a queue would be
//! lossy, or would wait as well. No line is lost silently: while the disk is full lines are counted, standard error
//! tells so once, and the log itself says how many are missing once it can be written again.

use std::{
    fs::{self, File, OpenOptions},
    io::{self, Write},
    os::unix::fs::{MetadataExt, OpenOptionsExt},
    path::{Path, PathBuf},
    str::FromStr,
    sync::{Mutex, PoisonError},
};

use anyhow::Context;
use tracing::{
    Event, Subscriber,
    field::{Field, Visit},
};
use tracing_subscriber::{
    Layer,
    filter::{FilterFn, Filtered, filter_fn},
    layer,
    registry::LookupSpan,
};

use crate::audit;

/// No other user may read who did what.
const FILE_MODE: u32 = 0o600;

/// The setting.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum AuditLog {
    StandardOutput,
    File(PathBuf),
}

impl FromStr for AuditLog {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "" => Err("want a file, or - for standard output".to_owned()),
            "-" => Ok(Self::StandardOutput),
            file => Ok(Self::File(file.into())),
        }
    }
}

impl AuditLog {
    /// Opens the file, so that a wrong setting is noticed at the start.
    pub(super) fn open(&self) -> anyhow::Result<AuditLayer> {
        let target = match self {
            Self::StandardOutput => Target::StandardOutput,
            Self::File(path) => {
                let file = open(path).with_context(|| format!("--audit-log: cannot append to {}", path.display()))?;
                Target::File { file, path: path.clone() }
            }
        };
        Ok(AuditLayer(Mutex::new(Writer::new(target))))
    }
}

/// Writes the lines of the audit log.
#[derive(Debug)]
pub(super) struct AuditLayer(Mutex<Writer>);

impl AuditLayer {
    /// The layer, which sees nothing but the audit log.
    pub(super) fn filtered<S: Subscriber + for<'a> LookupSpan<'a>>(self) -> Filtered<Self, FilterFn, S> {
        self.with_filter(filter_fn(|event| event.target() == audit::TARGET))
    }
}

impl<S: Subscriber> Layer<S> for AuditLayer {
    fn on_event(&self, event: &Event<'_>, _: layer::Context<'_, S>) {
        event.record(&mut Append(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner)));
    }
}

/// Appends the one field of an event.
struct Append<'a>(&'a mut Writer);

impl Visit for Append<'_> {
    fn record_str(&mut self, _: &Field, line: &str) {
        self.0.write(line);
    }

    fn record_debug(&mut self, _: &Field, _: &dyn std::fmt::Debug) {}
}

#[derive(Debug)]
struct Writer {
    target: Target,
    /// Lines that could not be written since the last one that could.
    missing: usize,
    /// The last write ended within a line.
    is_torn: bool,
}

#[derive(Debug)]
enum Target {
    StandardOutput,
    File { file: File, path: PathBuf },
}

impl Writer {
    fn new(target: Target) -> Self {
        Self { target, missing: 0, is_torn: false }
    }

    fn write(&mut self, line: &str) {
        let mut text = String::with_capacity(line.len() + 1);
        if self.is_torn {
            text.push('\n');
        }
        if self.missing > 0 {
            text = text + &audit::gap(self.missing) + "\n";
        }
        match self.append((text + line + "\n").as_bytes()) {
            Ok(()) => self.missing = 0,
            Err(error) => {
                if self.missing == 0 {
                    // An event within an event would be dropped.
                    eprintln!("error: the audit log cannot be written, and lacks lines from now on: {error}");
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
            Self::StandardOutput => Ok(Box::new(io::stdout().lock())),
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
mod tests {
    use std::os::unix::fs::{PermissionsExt, symlink};

    use super::*;

    fn writer(path: &Path) -> Writer {
        let AuditLayer(writer) = AuditLog::File(path.to_owned()).open().expect("opened");
        writer.into_inner().expect("no panic")
    }

    fn text(path: &Path) -> String {
        fs::read_to_string(path).expect("a file")
    }

    #[test]
    fn lines_are_appended_to_a_file_of_its_owner_alone() {
        let directory = tempfile::tempdir().expect("a directory");
        let path = directory.path().join("audit.log");
        writer(&path).write("one");
        writer(&path).write("two");
        assert_eq!(text(&path), "one\ntwo\n");
        assert_eq!(fs::metadata(&path).expect("a file").permissions().mode() & 0o777, FILE_MODE);
    }

    #[test]
    fn a_file_that_was_moved_away_is_made_anew() {
        let directory = tempfile::tempdir().expect("a directory");
        let [path, moved] = ["audit.log", "audit.log.1"].map(|name| directory.path().join(name));
        let mut writer = writer(&path);
        writer.write("one");
        fs::rename(&path, &moved).expect("moved");
        writer.write("two");
        assert_eq!((text(&moved).as_str(), text(&path).as_str()), ("one\n", "two\n"));
    }

    #[test]
    fn after_a_full_disk_the_log_says_how_many_lines_are_missing() {
        let directory = tempfile::tempdir().expect("a directory");
        let path = directory.path().join("audit.log");
        symlink("/dev/full", &path).expect("linked");
        let mut writer = writer(&path);
        writer.write("one");
        writer.write("two");
        fs::remove_file(&path).expect("removed");
        writer.write("three");
        let text = text(&path);
        let lines: Vec<_> = text.lines().collect();
        let gap: serde_json::Value = serde_json::from_str(lines[0]).expect("JSON");
        assert_eq!((gap["event"].as_str(), gap["count"].as_u64()), (Some("gap"), Some(2)));
        assert_eq!(lines[1..], ["three"]);
    }

    #[test]
    fn a_file_that_cannot_be_opened_is_named() {
        let refused = AuditLog::File("/nowhere/audit.log".into()).open().expect_err("refused");
        assert!(
            format!("{refused:#}").starts_with("--audit-log: cannot append to /nowhere/audit.log: "),
            "{refused:#}"
        );
    }
}
