//! Who may see a page, and who may retry, with a line in the audit log as for every other door.

use std::sync::Arc;

use async_graphql::parser::types::OperationType;
use axum::{
    extract::FromRequestParts,
    http::{Method, StatusCode, header, request::Parts, uri::Authority},
    response::Response,
};
use chassis::{
    audit::{self, Outcome},
    rest::{Permitted, Refused, permit},
};
use graphql_http::cross_site::is_from_elsewhere;
use reqwest::Url;
use uuid::Uuid;

use super::{
    layout::{message, say},
    retry::MOST,
};
use crate::permissions::PERMISSIONS;

const READ: &str = "pendingPayments";
const RETRY: &str = "retryPendingPayment";
const SETTLE: &str = "settlePendingPayment";
// Sensitive names that the page of a payment may show.
pub(super) const RETRIED_BY: &str = "retriedBy";
pub(super) const SETTLED_BY: &str = "settledBy";
pub(super) const SETTLE_REASON: &str = "settleReason";

/// A request that is permitted.
#[derive(Debug)]
pub(super) struct Visit {
    permitted: Permitted,
    /// The path of the page.
    pub(super) path: String,
    /// The number of payments that were retried just now, from the address of the page: what a retry may lead to.
    pub(super) retried: Option<u8>,
    /// Whether the payment that was retried just now was being sent then.
    pub(super) was_being_sent: bool,
    /// The service as the browser addresses it.
    pub(super) host: Option<Url>,
}

/// A request of someone who may read pending payments.
#[derive(Debug)]
pub(super) struct Reading(pub(super) Visit);

/// A request of someone who may retry them, from a page of this service.
#[derive(Debug)]
pub(super) struct Retrying(pub(super) Visit);

/// A request of someone who may settle them, from a page of this service.
#[derive(Debug)]
pub(super) struct Settling(pub(super) Visit);

impl<S: Sync> FromRequestParts<S> for Reading {
    type Rejection = Response;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Response> {
        Visit::of(parts, READ).map(Self).map_err(|refused| page(&refused, parts))
    }
}

impl<S: Sync> FromRequestParts<S> for Retrying {
    type Rejection = Response;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Response> {
        Visit::changing(parts, RETRY).map(Self).map_err(|refused| page(&refused, parts))
    }
}

impl<S: Sync> FromRequestParts<S> for Settling {
    type Rejection = Response;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Response> {
        Visit::changing(parts, SETTLE).map(Self).map_err(|refused| page(&refused, parts))
    }
}

impl Visit {
    fn changing(parts: &Parts, field: &str) -> Result<Self, Refused> {
        // A form needs no preflight. So pages of origins that may call the API may not send one either.
        if parts.method == Method::POST && is_from_elsewhere(&parts.headers, &parts.uri) {
            return Err(Refused { status: StatusCode::FORBIDDEN, message: say("console-other-site") });
        }
        Self::of(parts, field)
    }

    fn of(parts: &Parts, field: &str) -> Result<Self, Refused> {
        let permitted = permit(&parts.extensions, &PERMISSIONS, field)?;
        let host = parts.headers.get(header::HOST).and_then(|host| host.to_str().ok());
        let host = host.or(parts.uri.authority().map(Authority::as_str));
        let retried = parts.uri.query().and_then(|query| query.strip_prefix("retried=")?.parse().ok());
        Ok(Self {
            permitted,
            path: parts.uri.path().to_owned(),
            retried: retried.filter(|retried| *retried <= MOST),
            was_being_sent: parts.uri.query() == Some("retried=while-sent"),
            host: host.and_then(|host| format!("http://{host}").parse().ok()),
        })
    }

    /// The name of the caller, as rows keep it.
    pub(super) fn user(&self) -> Arc<str> {
        audit::user(&self.permitted.caller)
    }

    /// Whether the caller may retry payments.
    pub(super) fn may_retry(&self) -> bool {
        PERMISSIONS.root_field(RETRY).is_some_and(|rule| rule.permits(&self.permitted.caller))
    }

    /// Whether the caller may settle payments.
    pub(super) fn may_settle(&self) -> bool {
        PERMISSIONS.root_field(SETTLE).is_some_and(|rule| rule.permits(&self.permitted.caller))
    }

    /// Whether the caller may read the sensitive name.
    pub(super) fn may_know(&self, name: &str) -> bool {
        let mut rules = PERMISSIONS.sensitive.iter().filter(|rule| rule.name == name);
        rules.any(|rule| rule.permits(&self.permitted.caller))
    }

    /// Records that the payments of these consultations were shown, with these sensitive names.
    pub(super) fn has_read(&self, consultations: &[Uuid], sensitive: &[&'static str]) {
        if !consultations.is_empty() {
            self.permitted.record(OperationType::Query, sensitive, consultations, Outcome::Permitted);
        }
    }

    /// Records a retry or a settlement.
    pub(super) fn has_retried(&self, consultations: &[Uuid], outcome: Outcome) {
        self.permitted.record(OperationType::Mutation, &[], consultations, outcome);
    }
}

fn page(refused: &Refused, parts: &Parts) -> Response {
    message(refused.status, parts.uri.path(), &refused.message)
}
