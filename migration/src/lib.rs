//! The database schema, with one `Migrator` per service.
//!
//! Each has a migration table of its own, so that the services work in one shared database and in two. Never use
//! `fresh()`: in a shared database it also drops the other service's tables.

pub mod consultation;
pub mod finance;

mod count_on_demand;
mod late_check;
mod m20261124_000001_create_consultation;
mod m20261124_000002_create_pending_payment;
mod m20261124_000003_create_payment;
mod m20261124_000004_keep_pending_payments;
mod m20261124_000005_count_consultations;
mod m20261124_000006_count_payments;
mod m20261124_000007_room_for_claims;
mod m20261124_000008_create_finance_instance;
mod m20261124_000009_create_delivery_destination;
mod m20261127_000010_keep_payments;
mod m20261127_000011_name_starters;
mod m20261127_000012_name_recorder;
mod m20261128_000013_trace_payments;
mod m20261128_000014_create_reconciliation;
mod m20261128_000015_cancel_consultations;
mod m20261128_000016_name_origins;
mod m20261128_000017_settle_payments;
mod m20261128_000018_redeliver_payments;
mod m20261128_000019_order_consultations;
mod m20261128_000020_order_payments;
mod m20261128_000021_validate_checks;
mod m20261128_000022_drop_indexes_by_id;
mod row_count;
mod time_index;

pub use count_on_demand::CountOnDemand;
pub use sea_orm_migration::MigratorTrait;

/// Characters of a caller's name.
const CALLER_LENGTH: u32 = 512;
/// Characters of a reason that a caller gives.
const REASON_LENGTH: u32 = 500;
