//! The counts as Prometheus' text format, in a file that node_exporter's textfile collector reads.

use std::{
    ffi::OsString,
    fs::{self, File, Permissions},
    io::{self, Write},
    os::unix::fs::PermissionsExt,
    path::Path,
};

use chrono::{DateTime, Utc};

use super::Reconciliation;

/// Readable by the collector, which is another user. Counts are no secret.
const MODE: u32 = 0o644;

/// Replaces `file` as a whole: the collector never reads half of one. The file beside it that becomes it does not end in
/// `.prom`, so the collector ignores it.
pub(super) fn write(file: &Path, reconciliation: &Reconciliation, now: DateTime<Utc>) -> io::Result<()> {
    let mut partial = OsString::from(file);
    // Two runs at once write two files, and a killed one blocks no other. In containers each has the same process id.
    partial.push(format!(".{:016x}.partial", fastrand::u64(..)));
    let mut new = File::create_new(&partial)?;
    let written = new
        .set_permissions(Permissions::from_mode(MODE))
        .and_then(|()| new.write_all(metrics(reconciliation, now).as_bytes()))
        .and_then(|()| new.sync_all())
        .and_then(|()| fs::rename(&partial, file));
    if written.is_err() {
        // The first error counts.
        let _ = fs::remove_file(&partial);
    }
    written
}

fn metrics(Reconciliation { differences, overdue, settled, known, .. }: &Reconciliation, now: DateTime<Utc>) -> String {
    let now = now.timestamp();
    format!(
        "# HELP reconcile_differences Differences between finished consultations and recorded payments.
# TYPE reconcile_differences gauge
reconcile_differences {differences}
# HELP reconcile_overdue Payments that are in transit for over an hour.
# TYPE reconcile_overdue gauge
reconcile_overdue {overdue}
# HELP reconcile_settled Conflicts that an operator has settled.
# TYPE reconcile_settled gauge
reconcile_settled {settled}
# HELP reconcile_known Payments without a consultation that the file of known ones names.
# TYPE reconcile_known gauge
reconcile_known {known}
# HELP reconcile_last_run_timestamp_seconds Time of the last complete comparison.
# TYPE reconcile_last_run_timestamp_seconds gauge
reconcile_last_run_timestamp_seconds {now}
"
    )
}

#[cfg(test)]
mod tests {
    use std::process;

    use super::*;

    #[test]
    fn files_of_killed_runs_and_of_others_at_work_neither_block_it_nor_are_removed() {
        let directory = tempfile::tempdir().expect("a directory");
        let file = directory.path().join("reconcile.prom");
        let others = directory.path().join(format!("reconcile.prom.{}.partial", process::id()));
        fs::write(&others, "half").expect("written");
        write(&file, &Reconciliation::default(), chassis::clock::now()).expect("written");
        assert!(fs::read_to_string(&file).expect("a text").contains("reconcile_differences 0\n"));
        assert_eq!(fs::read_to_string(&others).expect("a text"), "half");
        assert_eq!(fs::read_dir(&directory).expect("a directory").count(), 2, "no other file is left");
    }
}
