//! A writer that notes every batch it is given.

use std::sync::{Arc, Mutex};

use chassis::write_coalescer::BatchWriter;
use tokio::sync::Semaphore;

/// Its answer to a row is ten times the row.
#[derive(Clone)]
pub(super) struct Recorder(Arc<Notes>);

struct Notes {
    batches: Mutex<Vec<Vec<u32>>>,
    fails: fn(&[u32]) -> bool,
    begun: Semaphore,
    gate: Semaphore,
}

impl Default for Recorder {
    fn default() -> Self {
        Self::failing(|_| false)
    }
}

impl Recorder {
    /// One whose writes of these rows fail.
    pub(super) fn failing(fails: fn(&[u32]) -> bool) -> Self {
        let (begun, gate) = (Semaphore::new(0), Semaphore::new(0));
        Self(Arc::new(Notes { batches: Mutex::default(), fails, begun, gate }))
    }

    /// Waits until a write has begun.
    pub(super) async fn has_begun(&self) {
        self.0.begun.acquire().await.expect("open").forget();
    }

    /// Lets this write and all later ones end.
    pub(super) fn go_on(&self) {
        self.0.gate.close();
    }

    /// The rows of all writes, failed ones too.
    pub(super) fn batches(&self) -> Vec<Vec<u32>> {
        self.0.batches.lock().expect("not poisoned").clone()
    }
}

impl BatchWriter for Recorder {
    type Row = u32;
    type Answer = u32;
    type Fault = String;

    async fn write(&self, rows: &[u32]) -> Result<Vec<u32>, String> {
        self.0.batches.lock().expect("not poisoned").push(rows.to_vec());
        self.0.begun.add_permits(1);
        // Ends with an error, the gate being closed to waiters: that is the signal.
        let _ = self.0.gate.acquire().await;
        if (self.0.fails)(rows) { Err(format!("{rows:?}")) } else { Ok(rows.iter().map(|row| row * 10).collect()) }
    }
}
