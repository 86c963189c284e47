//! Files that move away, and disks that are full.

use std::os::unix::fs::{PermissionsExt, symlink};

use super::*;

fn writer(path: &Path) -> Writer {
    AuditLog::File(path.to_owned()).open(true).expect("opened")
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
    let refused = AuditLog::File("/nowhere/audit.log".into()).open(true).err().expect("refused");
    assert!(format!("{refused:#}").starts_with("--audit-log: cannot append to /nowhere/audit.log: "), "{refused:#}");
}
