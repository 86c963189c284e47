//! Labels that are found fast.

use std::{
    fmt,
    hash::{BuildHasher, Hash, Hasher},
};

use prometheus_client::encoding::{EncodeLabelSet, LabelSetEncoder};
use rustc_hash::FxBuildHasher;

/// Labels of a series that each request counts. `Family` uses `SipHash`, which is slow on words, so it gets a number to
/// hash. Nobody makes labels collide on purpose, since no client chooses them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Labels<L>(pub(super) L);

impl<L: Hash> Hash for Labels<L> {
    fn hash<H: Hasher>(&self, state: &mut H) {
        state.write_u64(FxBuildHasher.hash_one(&self.0));
    }
}

impl<L: EncodeLabelSet> EncodeLabelSet for Labels<L> {
    fn encode(&self, encoder: &mut LabelSetEncoder<'_>) -> fmt::Result {
        self.0.encode(encoder)
    }
}
