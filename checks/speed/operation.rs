//! The measured GraphQL operations, and their expected responses.

use uuid::Uuid;

use crate::http::Request;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Operation {
    Start,
    Finish,
    Record,
    /// A consultation's day: start, look it up, a page of the newest, finish.
    Mixed,
    /// The row of a start, created by PostGraphile.
    CreateRow,
}

impl Operation {
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Start => "start",
            Self::Finish => "finish",
            Self::Record => "record",
            Self::Mixed => "mixed",
            Self::CreateRow => "create row",
        }
    }

    /// Requests for each transaction script of pgbench.
    pub(crate) const fn requests(self) -> u32 {
        if matches!(self, Self::Mixed) { 4 } else { 1 }
    }
}

/// A request, and the begin and the end of a successful response body. A refusal differs in both.
#[derive(Clone, Debug)]
pub(crate) struct Call {
    pub(crate) request: Request,
    pub(crate) begins: &'static [u8],
    pub(crate) ends: &'static [u8],
}

const NO_ERRORS: &[u8] = br#""userErrors":[]}}}"#;

/// Places: the physician, the patient.
pub(crate) fn start() -> Call {
    const QUERY: &str = "mutation Start($input: StartConsultationInput!) { startConsultation(input: $input) {
        consultation { id startDate status } userErrors { ... on UserError { code message } } } }";
    Call {
        request: Request::graphql(QUERY, r#"{"input":{"physicianId":"{0}","patientId":"{1}"}}"#),
        begins: br#"{"data":{"startConsultation":{"consultation":{"id":""#,
        ends: NO_ERRORS,
    }
}

/// Places: the physician, the patient, the consultation.
pub(crate) fn create_row() -> Call {
    const QUERY: &str = "mutation Create($input: CreateConsultationInput!) { createConsultation(input: $input) {
        consultation { rowId startDate } } }";
    let row = r#"{"rowId":"{2}","physicianId":"{0}","patientId":"{1}","startDate":"2026-01-01T12:00:00Z"}"#;
    Call {
        request: Request::graphql(QUERY, &format!(r#"{{"input":{{"consultation":{row}}}}}"#)),
        begins: br#"{"data":{"createConsultation":{"consultation":{"rowId":""#,
        ends: b"}}}}",
    }
}

/// Place: the consultation.
pub(crate) fn finish() -> Call {
    const QUERY: &str = "mutation Finish($input: FinishConsultationInput!) { finishConsultation(input: $input) {
        consultation { price endDate status } userErrors { ... on UserError { code message } } } }";
    Call {
        request: Request::graphql(QUERY, r#"{"input":{"consultationId":"{0}"}}"#),
        begins: br#"{"data":{"finishConsultation":{"consultation":{"price":""#,
        ends: NO_ERRORS,
    }
}

/// Place: the appointment.
pub(crate) fn record() -> Call {
    const QUERY: &str = "mutation Record($input: RecordPaymentInput!) { recordPayment(input: $input) {
        payment { totalPrice recordedAt id } userErrors { ... on UserError { code message } } } }";
    Call {
        request: Request::graphql(QUERY, r#"{"input":{"appointmentId":"{0}","totalPrice":"216.00"}}"#),
        begins: br#"{"data":{"recordPayment":{"payment":{"totalPrice":"216.00""#,
        ends: NO_ERRORS,
    }
}

/// Place: the consultation.
pub(crate) fn look_up() -> Call {
    const QUERY: &str = "query Consultation($id: ID!) { consultation(id: $id) {
        id physicianId patientId status startDate endDate price } }";
    Call {
        request: Request::graphql(QUERY, r#"{"id":"{0}"}"#),
        begins: br#"{"data":{"consultation":{"id":""#,
        ends: b"}}}",
    }
}

/// The 20 newest, or the 20 oldest.
pub(crate) fn page(newest: bool) -> Call {
    const QUERY: &str = "query Page($orderBy: ConsultationOrder!) { consultations(first: 20, orderBy: $orderBy) {
        edges { node { id patientId status startDate endDate price } } pageInfo { hasNextPage endCursor } } }";
    let direction = if newest { "DESC" } else { "ASC" };
    let variables = format!(r#"{{"orderBy":{{"field":"START_DATE","direction":"{direction}"}}}}"#);
    Call {
        request: Request::graphql(QUERY, &variables),
        begins: br#"{"data":{"consultations":{"edges":[{"node":{"id":""#,
        ends: b"}}}}",
    }
}

/// The 20 that ended last; with a physician only those of that one.
pub(crate) fn last_ended(physician: Option<Uuid>) -> Call {
    const QUERY: &str = "query Ended($filter: ConsultationFilter) {
        consultations(first: 20, filter: $filter, orderBy: { field: END_DATE, direction: DESC }) {
        edges { node { id endDate price } } pageInfo { hasNextPage endCursor } } }";
    let variables = physician.map(|id| format!(r#"{{"filter":{{"physicianId":"{id}"}}}}"#));
    Call {
        request: Request::graphql(QUERY, variables.as_deref().unwrap_or("{}")),
        begins: br#"{"data":{"consultations":{"edges":["#,
        ends: b"}}}}",
    }
}

/// The 20 newest payments on their way or delivered.
pub(crate) fn newest_payments() -> Call {
    const QUERY: &str = "{ pendingPayments(first: 20, orderBy: { field: CREATED_AT, direction: DESC }) {
        edges { node { id status totalPrice } } pageInfo { hasNextPage endCursor } } }";
    Call { request: Request::graphql(QUERY, "{}"), begins: br#"{"data":{"pendingPayments":{"edges":["#, ends: b"}}}}" }
}

/// The 20 newest consultations in progress.
pub(crate) fn in_progress() -> Call {
    const QUERY: &str = "{ consultations(last: 20, filter: { status: IN_PROGRESS }) {
        edges { node { id patientId startDate } } } }";
    Call {
        request: Request::graphql(QUERY, "{}"),
        begins: br#"{"data":{"consultations":{"edges":[{"node":{"id":""#,
        ends: b"}}]}}}",
    }
}

/// Counts of all consultations and of the finished ones.
pub(crate) fn totals() -> Call {
    const QUERY: &str = "{ all: consultations(first: 1) { totalCount }
        finished: consultations(first: 1, filter: { status: FINISHED }) { totalCount }
        delivered: pendingPayments(first: 1, filter: { status: FINISHED }) { totalCount } }";
    Call { request: Request::graphql(QUERY, "{}"), begins: br#"{"data":{"all":{"totalCount":"#, ends: b"}}}" }
}
