//! Files that move away, and disks that are full.

use std::os::unix::fs::{PermissionsExt, symlink};

use super::*;

fn log(path: &Path) -> JsonLines {
    Destination::File(path.to_owned()).open("audit", true).expect("opened")
}

fn text(path: &Path) -> String {
    fs::read_to_string(path).expect("a file")
}

#[test]
fn lines_are_appended_to_a_file_of_its_owner_alone() {
    let directory = tempfile::tempdir().expect("a directory");
    let path = directory.path().join("audit.log");
    log(&path).write(&1);
    log(&path).write(&2);
    assert_eq!(text(&path), "1\n2\n");
    assert_eq!(fs::metadata(&path).expect("a file").permissions().mode() & 0o777, FILE_MODE);
}

#[test]
fn a_file_that_was_moved_away_is_made_anew() {
    let directory = tempfile::tempdir().expect("a directory");
    let [path, moved] = ["audit.log", "audit.log.1"].map(|name| directory.path().join(name));
    let log = log(&path);
    log.write(&1);
    fs::rename(&path, &moved).expect("moved");
    log.write(&2);
    assert_eq!((text(&moved).as_str(), text(&path).as_str()), ("1\n", "2\n"));
}

#[test]
fn after_a_full_disk_the_log_says_how_many_lines_are_missing() {
    let directory = tempfile::tempdir().expect("a directory");
    let path = directory.path().join("audit.log");
    symlink("/dev/full", &path).expect("linked");
    let log = log(&path);
    log.write(&1);
    log.write(&2);
    fs::remove_file(&path).expect("removed");
    log.write(&3);
    let text = text(&path);
    let lines: Vec<_> = text.lines().collect();
    let gap: serde_json::Value = serde_json::from_str(lines[0]).expect("JSON");
    assert_eq!((gap["event"].as_str(), gap["count"].as_u64()), (Some("gap"), Some(2)));
    assert_eq!(lines[1..], ["3"]);
}

#[test]
fn a_file_that_cannot_be_opened_is_named() {
    let refused = Destination::File("/nowhere/audit.log".into()).open("audit", true).err().expect("refused");
    assert!(format!("{refused:#}").starts_with("--audit-log: cannot append to /nowhere/audit.log: "), "{refused:#}");
}
