//! Keyed fingerprints of credentials: memory holds neither passwords nor tokens.

use sha2::{Digest, Sha256};
use uuid::Uuid;

pub(super) type Fingerprint = [u8; 32];

/// Secret of this process, without which fingerprints are useless.
#[derive(Debug)]
pub(super) struct FingerprintKey([Uuid; 2]);

impl Default for FingerprintKey {
    fn default() -> Self {
        Self([Uuid::new_v4(), Uuid::new_v4()])
    }
}

impl FingerprintKey {
    pub(super) fn fingerprint(&self, parts: &[&str]) -> Fingerprint {
        let mut hash = Sha256::new();
        for part in &self.0 {
            hash.update(part.as_bytes());
        }
        for part in parts {
            // The length keeps "ab" + "c" apart from "a" + "bc".
            hash.update(part.len().to_le_bytes());
            hash.update(part);
        }
        hash.finalize().into()
    }
}
