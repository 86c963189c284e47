//! A batch of an import: what fits is compared with what is here, and what is missing is inserted.

use std::collections::HashSet;

use anyhow::Context;
use chassis::{
    database::Database,
    import::{Finding, Report, Row},
};

use super::{
    mapping::{Bounds, FOR_LONG, Mapped, map},
    newest::Newest,
    record::{ID, Record},
    target::{self, Place, Target},
};
use crate::store::import::{Ended, Imported, insert};

const FAILED: &str = "the database failed";
const TRUNCATED: &str = "dates cut to milliseconds";

/// What is counted, in the order in which it is shown.
pub(super) const LABELS: [&str; 9] = [
    "consultations read",
    "there already",
    "finished",
    "in progress",
    "in progress for long",
    "cancelled",
    "payments delivered before",
    "payments to deliver",
    TRUNCATED,
];

/// Imports the consultations of a batch, or says what would be done.
pub(super) async fn import(
    batch: &[Vec<Row>],
    newest: &Newest,
    bounds: Bounds,
    database: &Database,
    report: &mut Report,
) -> anyhow::Result<()> {
    let mut fitting = Vec::with_capacity(batch.len());
    for group in batch {
        report.count("consultations read");
        let record = Record::of(group).map_err(|text| Finding::left_out("INVALID", group[0].shown(ID), text));
        match record.and_then(|record| Ok((newest.mapped(&record, map(&record, bounds)?, bounds.now), record))) {
            Ok(fits) => fitting.push(fits),
            Err(finding) => report.add(finding)?,
        }
    }
    let target = Target::read(&database.read, &fitting).await.context(FAILED)?;
    let mut missing = Vec::with_capacity(fitting.len());
    for (mapped, record) in fitting {
        match target.place(&record, mapped, bounds.now) {
            Place::There(noted) => {
                report.count("there already");
                note(noted, record.is_truncated, report)?;
            }
            Place::LeftOut(finding) => report.add(finding)?,
            Place::Missing(mapped) => missing.push((mapped, record.is_truncated)),
        }
    }
    write(missing, database, report).await
}

/// Inserts what is missing, if the run writes, and reports it.
async fn write(missing: Vec<(Mapped, bool)>, database: &Database, report: &mut Report) -> anyhow::Result<()> {
    let rows: Vec<_> = missing.iter().map(|(mapped, _)| &mapped.row).collect();
    let is_dry = !report.writes();
    let inserted = if is_dry { Vec::new() } else { insert(database, &rows).await.context(FAILED)? };
    report.add_imported(inserted.len());
    let inserted: HashSet<_> = inserted.into_iter().collect();
    for (Mapped { row, noted }, is_truncated) in missing {
        if !is_dry && !inserted.contains(&row.id) {
            report.add(target::started_meanwhile(&row))?;
            continue;
        }
        note(noted, is_truncated, report)?;
        labels(&row).for_each(|label| report.count(label));
    }
    Ok(())
}

/// Reports what is to know of a consultation that is here or would be.
fn note(noted: Option<Finding>, is_truncated: bool, report: &mut Report) -> anyhow::Result<()> {
    if is_truncated {
        report.count(TRUNCATED);
    }
    let Some(noted) = noted else { return Ok(()) };
    if noted.code == FOR_LONG {
        report.count("in progress for long");
    }
    Ok(report.add(noted)?)
}

/// What a consultation counts as.
fn labels(row: &Imported) -> impl Iterator<Item = &'static str> {
    let [state, payment] = match &row.ended {
        None => [Some("in progress"), None],
        Some(Ended::Cancelled { .. }) => [Some("cancelled"), None],
        Some(Ended::Finished { payment, .. }) if payment.finished => {
            [Some("finished"), Some("payments delivered before")]
        }
        Some(Ended::Finished { .. }) => [Some("finished"), Some("payments to deliver")],
    };
    state.into_iter().chain(payment)
}
