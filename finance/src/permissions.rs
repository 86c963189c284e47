//! Who may ask what: a line a field.

use graphql_http::{Permissions, Rule};

/// Reads everything but who did it.
const READER: &str = "reader";
/// Treats patients. Here it may do nothing; consultation's group file can be the same.
const CLINICIAN: &str = "clinician";
/// Reads payments, and records one by hand.
const FINANCE: &str = "finance";
/// Compares both services.
const OPERATOR: &str = "operator";
/// The relay of consultation, and others that record by themselves.
const SERVICE: &str = "service";

/// The permissions of the API and of the REST endpoint, which stands for a mutation.
pub static PERMISSIONS: Permissions = Permissions {
    roles: &[READER, CLINICIAN, FINANCE, OPERATOR, SERVICE],
    root_fields: &[
        Rule::new("payment", &[READER, FINANCE, OPERATOR, SERVICE]),
        Rule::new("payments", &[READER, FINANCE, OPERATOR, SERVICE]),
        Rule::new("instanceId", &[OPERATOR, SERVICE]),
        Rule::new("node", &[READER, FINANCE, OPERATOR, SERVICE]),
        Rule::new("nodes", &[READER, FINANCE, OPERATOR, SERVICE]),
        Rule::new("_entities", &[READER, FINANCE, OPERATOR, SERVICE]),
        Rule::new("recordPayment", &[FINANCE, SERVICE]),
        Rule::new("recordPayments", &[SERVICE]),
        Rule::new("paymentRecorded", &[READER, FINANCE, OPERATOR, SERVICE]),
    ],
    sensitive: &[Rule::new("recordedBy", &[FINANCE, OPERATOR])],
};
