//! Owned by the consultation service: the outbox, one row per finished consultation.

use sea_orm::entity::prelude::*;

use crate::Money;

/// A payment on its way to finance. See the consultation service's `outbox` module for its states.
#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "pending_payment")]
pub struct Model {
    /// UUIDv7, made before the finish is written. It identifies the request that finished the consultation.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    /// Id of the consultation; unique.
    #[sea_orm(unique)]
    pub appointment_id: Uuid,
    /// Price of the consultation: the amount that is sent. It is never computed again.
    pub total_price_cents: Money,
    /// Number of sends that have started.
    pub tries: i64,
    /// A relay holds the row until `lease_until`.
    pub processing: bool,
    /// Finance has confirmed the payment, or an operator has settled it. It stays true until a redelivery.
    pub finished: bool,
    /// Due time, by the database's clock.
    pub next_attempt_at: DateTimeUtc,
    /// End of the claim: until then the relay that claimed the row may send it.
    pub lease_until: Option<DateTimeUtc>,
    /// Fencing token: grows by one with every claim.
    pub claim_seq: i64,
    /// The last failure, at most 500 characters.
    pub last_error: Option<String>,
    /// Number of times that finance refused the row itself.
    pub rejections: i32,
    /// Time of the first refusal: an operator should look.
    pub parked_at: Option<DateTimeUtc>,
    /// Time of the finish, by the database's clock.
    pub created_at: DateTimeUtc,
    /// Time of finance's confirmation, or of the settlement, by the database's clock.
    pub finished_at: Option<DateTimeUtc>,
    /// Name of the last operator that sent it again, at most 512 characters. Null if none has.
    pub retried_by: Option<String>,
    /// The span of the finish as W3C's `traceparent`, of 55 characters. Null if it was not sampled. It never changes.
    pub trace_parent: Option<String>,
    /// Amount that finance has recorded and that an operator let stand instead of ours. Null unless it was settled.
    pub settled_price_cents: Option<Money>,
    /// Why it was settled, at most 500 characters. Set only together with the amount, as are the user and the time.
    pub settle_reason: Option<String>,
    /// Name of the operator that settled it, at most 512 characters.
    pub settled_by: Option<String>,
    /// Time of the settlement, by the database's clock.
    pub settled_at: Option<DateTimeUtc>,
    /// Number of times that the payment was put on its way again, since finance had lost it after its confirmation.
    pub redeliveries: i32,
}

impl ActiveModelBehavior for ActiveModel {}

impl Model {
    /// The amount that finance should have: the settled one, else the price.
    #[must_use]
    pub fn amount(&self) -> Money {
        self.settled_price_cents.unwrap_or(self.total_price_cents)
    }
}
