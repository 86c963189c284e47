//! Who may ask what: a line a field.

use graphql_http::{Permissions, Rule};

/// Reads everything but who did it.
const READER: &str = "reader";
/// Starts, finishes and cancels consultations.
const CLINICIAN: &str = "clinician";
/// Reads what was charged, and not whom it was for.
const FINANCE: &str = "finance";
/// Sees to the delivery of payments.
const OPERATOR: &str = "operator";
/// Another service. Here it may do nothing; finance's group file can be the same.
const SERVICE: &str = "service";

/// The permissions of the API and of the REST endpoints, each of which stands for a mutation.
pub static PERMISSIONS: Permissions = Permissions {
    roles: &[READER, CLINICIAN, FINANCE, OPERATOR, SERVICE],
    root_fields: &[
        Rule::new("consultation", &[READER, CLINICIAN, FINANCE, OPERATOR]),
        Rule::new("consultations", &[READER, CLINICIAN, FINANCE, OPERATOR]),
        Rule::new("pendingPayments", &[READER, FINANCE, OPERATOR]),
        Rule::new("node", &[READER, CLINICIAN, FINANCE, OPERATOR]),
        Rule::new("nodes", &[READER, CLINICIAN, FINANCE, OPERATOR]),
        Rule::new("_entities", &[READER, CLINICIAN, FINANCE, OPERATOR]),
        Rule::new("startConsultation", &[CLINICIAN]),
        Rule::new("finishConsultation", &[CLINICIAN]),
        Rule::new("cancelConsultation", &[CLINICIAN]),
        Rule::new("retryPendingPayment", &[OPERATOR]),
        Rule::new("settlePendingPayment", &[OPERATOR]),
        Rule::new("consultationChanged", &[READER, CLINICIAN, FINANCE, OPERATOR]),
        Rule::new("consultationsChanged", &[READER, CLINICIAN, FINANCE, OPERATOR]),
        Rule::new("pendingPaymentChanged", &[READER, FINANCE, OPERATOR]),
    ],
    // The input of `startConsultation` has a `patientId`, too: who may start may name the patient.
    sensitive: &[
        Rule::new("patientId", &[READER, CLINICIAN]),
        // Free text, which may say whom it is about.
        Rule::new("cancelReason", &[READER, CLINICIAN]),
        // Likewise. Whoever writes it reads it, and finance knows the amount, the time and the operator without it.
        Rule::new("settleReason", &[READER, OPERATOR]),
        Rule::new("pendingPayment", &[READER, FINANCE, OPERATOR]),
        // The type, to which `node` leads as well.
        Rule::new("PendingPayment", &[READER, FINANCE, OPERATOR]),
        Rule::new("startedBy", &[FINANCE, OPERATOR]),
        Rule::new("finishedBy", &[FINANCE, OPERATOR]),
        Rule::new("cancelledBy", &[FINANCE, OPERATOR]),
        Rule::new("retriedBy", &[FINANCE, OPERATOR]),
        Rule::new("settledBy", &[FINANCE, OPERATOR]),
    ],
};
