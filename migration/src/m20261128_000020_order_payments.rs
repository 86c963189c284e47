//! The index of the list of payments, by the time of recording and the id. Ids alone do not have the order of times: they
//! are made before the payments are recorded, by the clocks of replicas.

use crate::time_index::{Build, Index};

const RECORDED: Index = Index::new("payment_recorded", None, "recorded_at", None);

pub(crate) fn migration() -> Build {
    Build::new("m20261128_000020", "payment", &RECORDED)
}
