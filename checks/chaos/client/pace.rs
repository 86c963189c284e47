//! The pace of the clients: set by a phase, multiplied by a fault, or paused.

use std::{sync::Mutex, time::Duration};

use fastrand::Rng;
use tokio::time::sleep;

use super::CLIENTS;

const POLL_INTERVAL: Duration = Duration::from_millis(50);

/// The pace of the phase in consultations per second of all clients, and the factor by which it is multiplied.
#[derive(Debug, Default)]
pub(crate) struct Pace(Mutex<[f64; 2]>);

impl Pace {
    pub(crate) fn set(&self, per_second: f64) {
        *self.0.lock().expect("pace") = [per_second, 1.0];
    }

    /// Multiplies the phase's pace; 0 pauses the clients.
    pub(crate) fn multiply(&self, times: f64) {
        self.0.lock().expect("pace")[1] = times;
    }

    /// Waits until one client may begin its next consultation.
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
