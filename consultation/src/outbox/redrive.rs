//! The redrive by an operator of the running service: the store's, and the news of it for relays and watchers.

use chassis::{changes::Changes, database::Database};
use sea_orm::DbErr;
use uuid::Uuid;

use super::{
    State, WakeUp,
    store::{self, Redriven},
};

/// Has payments sent now, for the API and the console.
#[derive(Clone, Debug)]
pub struct Redrive {
    /// The database of the outbox.
    pub database: Database,
    /// Wakes relays up.
    pub wake_up: WakeUp,
    /// Receives the id of each consultation whose payment changed state.
    pub changes: Changes,
}

impl Redrive {
    /// Redrives the payment of a consultation for the caller of this name.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn one(&self, consultation: Uuid, by: &str) -> Result<Redriven, DbErr> {
        let redriven = store::redrive(&self.database.write, consultation, by).await;
        // Also after a failure: the row may be due nevertheless.
        if !matches!(redriven, Ok(Redriven::NothingToSend)) {
            self.publish(&[consultation]);
        }
        redriven
    }

    /// Redrives at most `limit` parked payments, the oldest first. Returns the ids of their consultations.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn parked(&self, limit: u64, by: &str) -> Result<Vec<Uuid>, DbErr> {
        let parked = store::ids(&self.database.read, Some(State::Parked), limit).await?;
        let redriven = store::redrive_parked(&self.database, &parked, by).await;
        match &redriven {
            Ok(consultations) => self.publish(consultations),
            // They may be due nevertheless.
            Err(_) => self.changes.publish_missed(),
        }
        redriven
    }

    fn publish(&self, consultations: &[Uuid]) {
        self.wake_up.notify();
        self.changes.publish(consultations);
    }
}
