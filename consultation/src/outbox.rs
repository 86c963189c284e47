//! The transactional outbox: the payment of a finished consultation on its way to finance.
//!
//! ```text
//!              claim (tries += 1, claim_seq += 1)          confirmed: recorded or already recorded
//!  pending ---------------------------------> leased ------------------------------------> finished
//!     ^  destination failed: again in 5 s        |  |
//!     +------------------------------------------+  |  refused: PAYMENT_CONFLICT or invalid
//!     ^  lease expired: claimable again             v
//!     +------------------------------------- parked (still retried, pauses grow to an hour; an operator may redrive,
//!                                                    or settle: finance's recorded amount stands, the row is finished)
//! ```
//!
//! - A row is written in the transaction that finishes the consultation: both or neither.
//! - A claim is one short statement. Sending happens outside every transaction.
//! - A failure is written only under the lease it happened in (`claim_seq` is the fencing token). A confirmed success
//!   is written under any lease of the same delivery: a payment in finance is a fact, until a restore loses it.
//! - When the *destination* fails, the row is due again soon. After five failures in a row a circuit breaker lets one
//!   probe through each 5 s, so recovery does not depend on the length of an outage. When the *row* is refused, it
//!   backs off by itself.
//! - The database's clock decides which rows are due. It may be set back: a lease or a delay longer than any possible
//!   one counts as ended.
//! - Delivery is retried for ever. The database refuses to delete undelivered rows.
//! - A finished row is pending again only by a redelivery, which is recorded: finance was restored from a backup that
//!   lacks its payment. A settled one is then sent with the settled amount.

mod activity;
mod breaker;
mod meter;
mod policy;
mod redrive;
mod relay;
mod settle;
mod state;
pub mod store;
mod upkeep;
mod wake_up;

pub use activity::{Activity, Bucket, Calls};
pub use meter::Meter;
pub use policy::Policy;
pub use redrive::Redrive;
pub use relay::{Relay, Tick};
pub use settle::{NotSettled, SettleRefusal, Settled, Settlements};
pub use state::{State, undelivered};
pub(crate) use upkeep::BATCH_PAUSE;
pub use upkeep::Upkeep;
pub use wake_up::WakeUp;

use chassis::{changes::Changes, database::Database};

use crate::finance_client::FinanceClient;

/// What operators do about payments that do not arrive.
#[derive(Clone, Debug)]
pub struct Remedies {
    /// Has payments sent now.
    pub redrive: Redrive,
    /// Lets finance's recorded amount stand.
    pub settlements: Settlements,
}

impl Remedies {
    /// Remedies of the running service: its relays and watchers hear of them.
    #[must_use]
    pub fn new(database: &Database, finance: &FinanceClient, wake_up: &WakeUp, changes: &Changes) -> Self {
        let (database, finance) = (database.clone(), finance.clone());
        let redrive = Redrive { database: database.clone(), wake_up: wake_up.clone(), changes: changes.clone() };
        Self { redrive, settlements: Settlements { database, finance, changes: changes.clone() } }
    }
}

/// The name of the outbox in spans.
pub(crate) const MESSAGING_SYSTEM: &str = "outbox";

/// The characters of an error that a row keeps, and that are logged and shown. It may quote a long answer of finance.
const MAX_ERROR_LENGTH: usize = 500;

/// As much of an error as is kept.
fn shortened(error: &str) -> &str {
    error.char_indices().nth(MAX_ERROR_LENGTH).map_or(error, |(end, _)| &error[..end])
}
