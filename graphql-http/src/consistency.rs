//! Consistency of reads, for an application with a read replica of its data.
//!
//! The extension `consistency` of a request says what a query needs. With the `token` of an earlier response its result
//! has the effects of that mutation; `maxStaleness`, in seconds, bounds how late it may be. In responses the extension
//! of a mutation has a `token`, and that of a query which read from the replica its `staleness`.

use std::{fmt, sync::Arc, time::Duration};

use async_graphql::{Data, Request, Response, ServerError, Value, value};
use futures_util::future::BoxFuture;
use serde::Deserialize;
use tokio_util::sync::CancellationToken;

use crate::{Caller, bad_request::BadRequest, observer::Objects};

/// The name of the extension.
const EXTENSION: &str = "consistency";

/// Chooses where queries read.
pub trait Consistency: Send + Sync + 'static {
    /// The replica for a query with these needs; `None` without one that meets them.
    ///
    /// # Errors
    /// When the token is malformed.
    fn replica(&self, needs: &Needs) -> Result<Option<Replica>, MalformedToken>;

    /// A token of all mutations that have ended before this call; `None` if it cannot be read now.
    fn token(&self) -> BoxFuture<'_, Option<String>>;

    /// Whether the replica is to blame for the error of a query, so that the primary may have the result.
    fn is_about_replica(&self, error: &ServerError) -> bool;

    /// Called when a query that began on the replica runs again on the primary.
    fn repeated(&self) {}
}

/// What a query needs.
#[derive(Debug, Default)]
pub struct Needs {
    /// The token of a mutation.
    pub token: Option<String>,
    /// The longest staleness.
    pub max_staleness: Option<Duration>,
}

/// Why a token is malformed.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct MalformedToken(pub &'static str);

/// A replica, chosen for one query.
#[derive(Clone)]
pub struct Replica {
    /// How late its data are, at most.
    pub staleness: Duration,
    /// Puts what reads from it into the data of the request, where it hides the schema's.
    pub provide: Arc<dyn Fn(&mut Data) + Send + Sync>,
    /// Cancelled when the replica is lost.
    pub lost: CancellationToken,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Extension {
    token: Option<String>,
    max_staleness: Option<f64>,
}

impl fmt::Debug for Replica {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Replica").field("staleness", &self.staleness).finish_non_exhaustive()
    }
}

impl Needs {
    fn of(request: &Request) -> Result<Self, BadRequest> {
        let malformed = |error: &dyn fmt::Display| BadRequest::malformed("extension \"consistency\"", &error);
        let Some(extension) = request.extensions.get(EXTENSION).filter(|extension| **extension != Value::Null) else {
            return Ok(Self::default());
        };
        let extension = extension.clone().into_json().map_err(|error| malformed(&error))?;
        let Extension { token, max_staleness } =
            serde_json::from_value(extension).map_err(|error| malformed(&error))?;
        let seconds = |seconds| Duration::try_from_secs_f64(seconds);
        let max_staleness =
            max_staleness.map(seconds).transpose().map_err(|_| malformed(&"\"maxStaleness\": want seconds"))?;
        Ok(Self { token, max_staleness })
    }
}

/// The replica for a query.
pub(crate) fn choose(consistency: &dyn Consistency, request: &Request) -> Result<Option<Replica>, BadRequest> {
    let malformed = |error: MalformedToken| BadRequest::malformed("extension \"consistency\": \"token\"", &error);
    consistency.replica(&Needs::of(request)?).map_err(malformed)
}

/// Tells the token of a mutation.
pub(crate) fn tell_token(response: &mut Response, token: &str) {
    response.extensions.insert(EXTENSION.to_owned(), value!({ "token": token }));
}

/// Tells how late the data of a query are, in seconds.
pub(crate) fn tell_staleness(response: &mut Response, staleness: Duration) {
    // Milliseconds: the further digits would say nothing.
    let seconds = (staleness.as_secs_f64() * 1_000.0).ceil() / 1_000.0;
    response.extensions.insert(EXTENSION.to_owned(), value!({ "staleness": seconds }));
}

/// What it takes to run an admitted query again.
pub(crate) fn copy(request: &Request, caller: &Caller, objects: Option<&Objects>) -> Request {
    let mut copy = Request::new(request.query.clone()).variables(request.variables.clone());
    copy.operation_name.clone_from(&request.operation_name);
    copy.introspection_mode = request.introspection_mode;
    copy.data.insert(caller.clone());
    if let Some(objects) = objects {
        copy.data.insert(objects.clone());
    }
    copy
}
