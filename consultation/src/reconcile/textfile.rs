//! The counts as Prometheus' text format, in a file that node_exporter's textfile collector reads.

use std::{
    ffi::OsString,
    fs::{self, File, Permissions},
    io::{self, Write},
    os::unix::fs::PermissionsExt,
    path::Path,
    process,
};

use chrono::{DateTime, Utc};

use super::Reconciliation;

/// Readable by the collector, which is another user. Counts are no secret.
const MODE: u32 = 0o644;

/// Replaces `file` as a whole: the collector never reads half of one. The file beside it that becomes it does not end in
/// `.prom`, so the collector ignores it.
pub(super) fn write(file: &Path, reconciliation: &Reconciliation, now: DateTime<Utc>) -> io::Result<()> {
    let mut partial = OsString::from(file);
    // Two runs at once write two files.
    partial.push(format!(".{}.partial", process::id()));
    let written = File::create_new(&partial).and_then(|mut new| {
        new.set_permissions(Permissions::from_mode(MODE))?;
        new.write_all(metrics(reconciliation, now).as_bytes())?;
        new.sync_all()
    });
    let replaced = written.and_then(|()| fs::rename(&partial, file));
    if replaced.is_err() {
        // The first error counts.
        let _ = fs::remove_file(&partial);
    }
    replaced
}

fn metrics(Reconciliation { differences, overdue, .. }: &Reconciliation, now: DateTime<Utc>) -> String {
    let now = now.timestamp();
    format!(
        "# HELP reconcile_differences Differences between finished consultations and recorded payments.
# TYPE reconcile_differences gauge
reconcile_differences {differences}
# HELP reconcile_overdue Payments that are in transit for over an hour.
# TYPE reconcile_overdue gauge
reconcile_overdue {overdue}
# HELP reconcile_last_run_timestamp_seconds Time of the last complete comparison.
# TYPE reconcile_last_run_timestamp_seconds gauge
reconcile_last_run_timestamp_seconds {now}
"
    )
}
