//! Starts, some of which are entered after they happened.

use std::time::Duration;

use chassis::clock;
use fastrand::Rng;
use tokio::time::Instant;
use uuid::Uuid;

use super::{Entry, Load, attempts, pause};

/// Of 100 consultations, this many began before they are entered.
const BACKDATED_OF_100: u8 = 15;
/// The longest time between start and entry.
const LONGEST_BACKDATE_SECONDS: u64 = 20_000;

impl Load {
    /// Starts a consultation. Returns `None` if no answer came.
    pub(crate) async fn start(&self, random: &mut Rng) -> Option<Entry> {
        let [physician, patient] = [(); 2].map(|()| Uuid::from_u128(random.u128(..)).to_string());
        let begun = Instant::now();
        let is_backdated = random.u8(0..100) < BACKDATED_OF_100;
        let ago = Duration::from_secs(random.u64(1..LONGEST_BACKDATE_SECONDS));
        let mut start_date = is_backdated.then(|| clock::now() - ago);
        for attempt in 0..attempts(random) {
            let date = start_date.map(|date| date.to_rfc3339());
            let start = self.api.start_at(self.port(random), &physician, &patient, date.as_deref());
            match self.timed(start).await {
                Ok(Some(id)) => return Some(Entry::started(id.parse().expect("an id"), begun, start_date)),
                // The database's clock is wrong.
                Ok(None) => start_date = None,
                Err(_) => {}
            }
            pause(attempt, random).await;
        }
        None
    }
}
