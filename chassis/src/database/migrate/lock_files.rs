//! Processes that hold SQLite's write lock of a file, from `/proc/locks`.

use std::{fs, os::unix::fs::MetadataExt, path::Path};

use crate::database::wal;

/// Byte of `FILE-shm` whose lock is the write lock of a database in WAL mode, by SQLite's file format.
const WRITE_LOCK_BYTE: u64 = 120;

/// Holders of the write lock of `file`, for people. Empty without `/proc/locks`, or without a holder.
pub(super) fn writers(file: &Path) -> Vec<String> {
    let Ok(shared_memory) = fs::metadata(wal::beside(file, "-shm")) else { return Vec::new() };
    let locks = fs::read_to_string("/proc/locks").unwrap_or_default();
    let pids = locks.lines().filter_map(|line| holder(line, shared_memory.ino()));
    pids.map(|pid| format!("pid {pid}{}", command(pid))).collect()
}

/// The pid in a line of `/proc/locks` such as `1: POSIX  ADVISORY  WRITE 4711 fd:01:1234567 120 120`, if it is the
/// write lock in the file with this inode.
fn holder(line: &str, inode: u64) -> Option<u32> {
    let fields: Vec<_> = line.split_whitespace().collect();
    let [_, "POSIX", _, "WRITE", pid, file, first, last] = fields[..] else { return None };
    let of_file = file.rsplit(':').next()?.parse() == Ok(inode);
    let covers = first.parse::<u64>().ok()? <= WRITE_LOCK_BYTE
        && (last == "EOF" || last.parse::<u64>().ok()? >= WRITE_LOCK_BYTE);
    if of_file && covers { pid.parse().ok() } else { None }
}

/// The program's name in brackets, if it is readable.
fn command(pid: u32) -> String {
    fs::read_to_string(format!("/proc/{pid}/comm")).map_or_else(|_| String::new(), |name| format!(" ({})", name.trim()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_holder_is_the_one_whose_lock_covers_the_write_lock() {
        let of = |line| holder(line, 1234);
        assert_eq!(of("1: POSIX  ADVISORY  WRITE 4711 fd:01:1234 120 120"), Some(4711));
        assert_eq!(of("1: POSIX  ADVISORY  WRITE 4711 fd:01:1234 0 EOF"), Some(4711));
        assert_eq!(of("1: POSIX  ADVISORY  READ 4711 fd:01:1234 120 120"), None, "a reader");
        assert_eq!(of("1: POSIX  ADVISORY  WRITE 4711 fd:01:1234 121 121"), None, "the checkpointer's lock");
        assert_eq!(of("1: POSIX  ADVISORY  WRITE 4711 fd:01:12345 120 120"), None, "another file");
        assert_eq!(of("1: -> POSIX  ADVISORY  WRITE 4711 fd:01:1234 120 120"), None, "it waits itself");
    }
}
