//! Calls without a result, by what the client was told.

use std::{
    collections::BTreeMap,
    fmt::{Display, Formatter},
    sync::Mutex,
};

use reqwest::{StatusCode, header::HeaderMap};

use crate::{
    api::Lost,
    invariants::{Verdict, names::RETRYABLE},
};

/// Codes after which the same call is safe to repeat.
const RETRYABLE_CODES: [&str; 2] = ["UNAVAILABLE", "OVERLOADED"];

#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Refusal {
    /// Status, code, and Retry-After.
    Answer(u16, String, Option<String>),
    NoConnection,
    ConnectionLost,
    NoAnswerInTime,
}

/// The number of refusals of each kind.
#[derive(Debug, Default)]
pub(crate) struct Refusals(Mutex<BTreeMap<Refusal, u64>>);

impl Refusals {
    /// Counts an answer without a result.
    pub(crate) fn answer(&self, status: StatusCode, headers: &HeaderMap, code: Option<&str>) -> Lost {
        let retry_after = headers.get("retry-after").and_then(|value| value.to_str().ok()).map(str::to_owned);
        self.add(Refusal::Answer(status.as_u16(), code.unwrap_or("no code").to_owned(), retry_after))
    }

    /// Counts a call without an answer.
    pub(crate) fn no_answer(&self, error: &reqwest::Error) -> Lost {
        self.add(match error {
            error if error.is_timeout() => Refusal::NoAnswerInTime,
            error if error.is_connect() => Refusal::NoConnection,
            _ => Refusal::ConnectionLost,
        })
    }

    fn add(&self, refusal: Refusal) -> Lost {
        *self.0.lock().expect("refusals").entry(refusal).or_default() += 1;
        Lost
    }

    pub(crate) fn counts(&self) -> BTreeMap<Refusal, u64> {
        self.0.lock().expect("refusals").clone()
    }

    /// Checks what services said while their database was away.
    pub(crate) fn check(&self) -> Verdict {
        let mut verdict = Verdict::of(RETRYABLE, []);
        for (refusal, times) in self.counts() {
            let Refusal::Answer(status, code, retry_after) = &refusal else { continue };
            verdict.checked += usize::try_from(times).unwrap_or(usize::MAX);
            if *status != 503 || !RETRYABLE_CODES.contains(&code.as_str()) || retry_after.is_none() {
                verdict.violations.push(format!("{times} times: {refusal}"));
            }
        }
        verdict
    }
}

impl Display for Refusal {
    fn fmt(&self, f: &mut Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Answer(status, code, Some(seconds)) => write!(f, "{status} {code}, Retry-After: {seconds}"),
            Self::Answer(status, code, None) => write!(f, "{status} {code}, no Retry-After"),
            Self::NoConnection => f.write_str("no connection"),
            Self::ConnectionLost => f.write_str("connection lost"),
            Self::NoAnswerInTime => f.write_str("no answer in time"),
        }
    }
}
