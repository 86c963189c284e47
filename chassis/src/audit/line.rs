//! One line of the audit log.

use std::net::IpAddr;

use graphql_http::Rule;
use serde::Serialize;
use uuid::Uuid;

use crate::json_lines;

/// Ids of a line. The count tells of more.
const MAX_IDS: usize = 100;

/// What became of the event.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Outcome {
    /// It was done.
    #[default]
    Permitted,
    /// It was not even tried.
    Refused,
    /// It was tried and had an error.
    Failed,
}

impl<T, E> From<&Result<T, E>> for Outcome {
    fn from(result: &Result<T, E>) -> Self {
        if result.is_ok() { Self::Permitted } else { Self::Failed }
    }
}

/// A line. What an event does not have is left out.
#[derive(Debug, Default, Serialize)]
pub(super) struct Line<'a> {
    pub(super) time: String,
    /// Tells it from lines of the log where a collector has both.
    pub(super) target: &'static str,
    pub(super) service: &'a str,
    pub(super) event: &'static str,
    pub(super) outcome: Outcome,
    /// Bounded: anyone may choose a name who tries to log in.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) user: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) roles: Option<&'a [&'static str]>,
    /// The kind of operation, or the command.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) operation: Option<&'a str>,
    /// Root fields.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) fields: Option<&'a [&'static str]>,
    /// Names with a rule of their own.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) sensitive: Option<&'a [&'static str]>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) ids: Option<&'a [Uuid]>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) count: Option<usize>,
    /// The refused name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) refused: Option<&'static str>,
    /// The roles of which one would have permitted it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) needs: Option<&'static [&'static str]>,
    /// Why credentials were not checked, or a token was refused.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) reason: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) request_id: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) address: Option<IpAddr>,
}

impl<'a> Line<'a> {
    pub(super) fn new(service: &'a str, event: &'static str, outcome: Outcome) -> Self {
        Self { time: json_lines::now(), target: "audit", service, event, outcome, ..Self::default() }
    }

    /// Adds the first of `count` objects.
    pub(super) fn with_objects(self, ids: &'a [Uuid], count: usize) -> Self {
        Self { ids: Some(&ids[..ids.len().min(MAX_IDS)]), count: Some(count), ..self }
    }

    /// Adds what was refused.
    pub(super) fn with_refused(self, rule: &Rule) -> Self {
        Self { refused: Some(rule.name), needs: Some(rule.roles), ..self }
    }
}
