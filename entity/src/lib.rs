//! The tables as SeaORM entities: rows and named queries, no rules and no API types.
//!
//! Each table has one owner, named in the first line of its module. Only the owner writes it.

pub mod consultation;
pub mod currency;
pub mod delivery_destination;
pub mod finance_instance;
pub mod money;
pub mod payment;
pub mod pending_payment;
pub mod reconciliation;
pub mod redelivery;

pub use currency::{Currency, CurrencyError};
pub use money::{Money, MoneyError, ParseMoneyError};
