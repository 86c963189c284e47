//! A writer that records its batches.

use std::sync::{
    Arc, Mutex,
    atomic::{AtomicUsize, Ordering},
};

use chassis::write_coalescer::BatchWriter;
use tokio::sync::Semaphore;

/// A fault with this text is about the row.
const BAD: &str = "13";

/// Answers each row with ten times its number.
#[derive(Clone)]
pub(super) struct Recorder(Arc<Notes>);

struct Notes {
    batches: Mutex<Vec<Vec<u32>>>,
    fails: fn(&[u32]) -> bool,
    /// Rows found locked, each as often as it occurs here.
    locked: Mutex<Vec<u32>>,
    begun: Semaphore,
    gate: Semaphore,
    lost_answers: AtomicUsize,
}

impl Default for Recorder {
    fn default() -> Self {
        Self::failing(|_| false)
    }
}

impl Recorder {
    /// Fails the writes of these rows.
    pub(super) fn failing(fails: fn(&[u32]) -> bool) -> Self {
        let (begun, gate) = (Semaphore::new(0), Semaphore::new(0));
        let (batches, locked, lost_answers) = (Mutex::default(), Mutex::default(), AtomicUsize::new(0));
        Self(Arc::new(Notes { batches, fails, locked, begun, gate, lost_answers }))
    }

    /// Finds these rows locked, each as often as it is named.
    pub(super) fn locked(rows: impl IntoIterator<Item = u32>) -> Self {
        let recorder = Self::default();
        recorder.0.locked.lock().expect("not poisoned").extend(rows);
        recorder
    }

    /// Waits for the start of a write.
    pub(super) async fn has_begun(&self) {
        self.0.begun.acquire().await.expect("open").forget();
    }

    /// Lets this write and all later ones end.
    pub(super) fn go_on(&self) {
        self.0.gate.close();
    }

    /// Lets one write end.
    pub(super) fn end_one(&self) {
        self.0.gate.add_permits(1);
    }

    /// Number of calls of `lost_answers`.
    pub(super) fn lost_answers(&self) -> usize {
        self.0.lost_answers.load(Ordering::SeqCst)
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

    async fn write(&self, rows: &[u32]) -> Result<Vec<Option<u32>>, String> {
        self.0.batches.lock().expect("not poisoned").push(rows.to_vec());
        self.0.begun.add_permits(1);
        // The closed gate makes this an error, which signals that all writes may end.
        if let Ok(permit) = self.0.gate.acquire().await {
            permit.forget();
        }
        if (self.0.fails)(rows) {
            return Err(format!("{rows:?}"));
        }
        let mut locked = self.0.locked.lock().expect("not poisoned");
        let answers = rows.iter().map(|row| {
            let place = locked.iter().position(|locked| locked == row);
            place.map_or(Some(row * 10), |place| {
                locked.remove(place);
                None
            })
        });
        Ok(answers.collect())
    }

    fn is_about_rows(fault: &String) -> bool {
        fault.contains(BAD)
    }

    fn lost_answers(&self) {
        self.0.lost_answers.fetch_add(1, Ordering::SeqCst);
    }
}
