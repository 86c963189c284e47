//! The index of the list of payments, by the time of recording and the id: imported payments keep their ids, whose order
//! is none.

use crate::time_index::{Build, Index};

const RECORDED: Index = Index::new("payment_recorded", None, "recorded_at", None);

pub(crate) fn migration() -> Build {
    Build::new("m20261128_000020", "payment", &RECORDED)
}
