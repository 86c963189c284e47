//! How fast clients begin: as a phase says, faster at times, or not at all.

use std::{sync::Mutex, time::Duration};

use fastrand::Rng;
use tokio::time::sleep;

use super::CLIENTS;

const POLL_INTERVAL: Duration = Duration::from_millis(50);

/// The pace of the phase in consultations of all clients per second, and how much faster it is just now.
#[derive(Debug, Default)]
pub(crate) struct Pace(Mutex<[f64; 2]>);

impl Pace {
    pub(crate) fn set(&self, per_second: f64) {
        *self.0.lock().expect("pace") = [per_second, 1.0];
    }

    /// So many times faster than the phase's pace; none for zero.
    pub(crate) fn hurry(&self, times: f64) {
        self.0.lock().expect("pace")[1] = times;
    }

    /// Waits for the turn of one client.
    pub(super) async fn turn(&self, random: &mut Rng) {
        loop {
            let [pace, times] = *self.0.lock().expect("pace");
            if pace * times > 0.0 {
                let mean = f64::from(CLIENTS) / (pace * times);
                return sleep(Duration::from_secs_f64(2.0 * random.f64() * mean)).await;
            }
            sleep(POLL_INTERVAL).await;
        }
    }
}
