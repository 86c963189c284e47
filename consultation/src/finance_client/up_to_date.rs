//! Requests for what finance has stored by now: decisions about money are made by it, so no read replica may answer.

use serde::Serialize;

/// An operation whose result is not late.
#[derive(Serialize)]
pub(super) struct UpToDate<'a, O> {
    #[serde(flatten)]
    operation: &'a O,
    extensions: Extensions,
}

#[derive(Serialize)]
struct Extensions {
    consistency: Consistency,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Consistency {
    max_staleness: u32,
}

impl<'a, O> UpToDate<'a, O> {
    pub(super) fn new(operation: &'a O) -> Self {
        Self { operation, extensions: Extensions { consistency: Consistency { max_staleness: 0 } } }
    }
}
