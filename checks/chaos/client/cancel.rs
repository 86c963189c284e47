//! Ends of consultations: most are finished, some cancelled, and some both at once.

use fastrand::Rng;

use super::{Entry, Load, attempts, entry::CANCELLED, pause};
use crate::api::Answer;

/// Of 100 consultations, this many are cancelled.
const CANCELLED_OF_100: u8 = 6;
/// Of 100 consultations, those from `CANCELLED_OF_100` to this are cancelled and finished at once.
const CONTESTED_BELOW_OF_100: u8 = 14;

impl Load {
    /// Ends a consultation that was started just now.
    pub(super) async fn end(&self, started: Entry, random: &mut Rng) {
        match random.u8(0..100) {
            0..CANCELLED_OF_100 => self.cancel(started, random).await,
            CANCELLED_OF_100..CONTESTED_BELOW_OF_100 => {
                let mut other = random.fork();
                tokio::join!(self.finish(started.clone(), random), self.cancel(started, &mut other));
            }
            _ => self.finish(started, random).await,
        }
    }

    /// Cancels a consultation and logs the outcome.
    async fn cancel(&self, mut entry: Entry, random: &mut Rng) {
        entry.is_cancellation = true;
        for attempt in 0..attempts(random) {
            let answer = self.timed(self.api.cancel(self.port(random), &entry.id.to_string())).await;
            if attempt == 0 && matches!(&answer, Ok(Answer::Refused(code, _)) if code == CANCELLED) {
                self.surprises.lock().expect("surprises").push(entry.id.to_string());
            }
            entry.ended(&answer);
            if answer.is_ok() {
                break;
            }
            pause(attempt, random).await;
        }
        self.record(entry);
    }
}
