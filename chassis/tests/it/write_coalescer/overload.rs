//! More callers than a slow database can serve within their timeout.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
    time::Duration,
};

use chassis::{
    health::Heartbeat,
    metrics::WriterMeter,
    write_coalescer::{BatchWriter, WriteCoalescer},
};
use tokio::time::{Instant, sleep};

#[derive(Clone)]
struct Slow;

impl BatchWriter for Slow {
    type Row = u32;
    type Answer = u32;
    type Fault = String;

    async fn write(&self, rows: &[u32]) -> Result<Vec<Option<u32>>, String> {
        sleep(Duration::from_secs(1)).await;
        Ok(rows.iter().copied().map(Some).collect())
    }

    fn is_about_rows(_: &String) -> bool {
        false
    }
}

/// 64 rows a second are written, so 64 callers a second can be answered.
#[tokio::test(start_paused = true)]
async fn a_slow_database_under_load_still_answers() {
    let (coalescer, task) = WriteCoalescer::new(Slow, Heartbeat::new("writer"), WriterMeter::default());
    tokio::spawn(task);
    let began = Instant::now();
    let answered = Arc::new(AtomicU32::new(0));
    for client in 0..1_000 {
        let (coalescer, answered) = (coalescer.clone(), Arc::clone(&answered));
        tokio::spawn(async move {
            loop {
                if coalescer.write(client).await.is_ok() && began.elapsed() > Duration::from_secs(30) {
                    answered.fetch_add(1, Ordering::Relaxed);
                }
                sleep(Duration::from_millis(100)).await;
            }
        });
    }
    sleep(Duration::from_mins(1)).await;
    let answered = answered.load(Ordering::Relaxed);
    assert!(answered > 1_000, "{answered} callers answered in the second half minute, though 1,920 rows were written");
}
