//! Guarantees of the schema that the services rely on, on both databases.

mod catalogue;
mod claim_index;
mod consultation_rules;
mod count_on_demand;
mod finance_instance;
mod kept_callers;
mod kept_payments;
mod kept_remedies;
mod kept_rows;
mod migrators;
mod payment_rules;
mod pending_payment_rules;
mod roles;
mod row_counts;
mod rows;
mod simultaneous;
mod upgrade_locks;
