//! One login: throttle, cached verdict, hash.

use std::{net::IpAddr, sync::Arc};

use axum::http::Extensions;
use graphql_http::Caller;
use headers::authorization::Basic;
use tokio::{task::spawn_blocking, time::Instant};
use tracing::Span;

use super::{
    denied::Denied,
    queue::Queue,
    throttle::Throttle,
    users::{Login, Users, Verdict},
};
use crate::{
    audit::{Audit, Outcome},
    gate::{client_address, request_id},
};

/// Characters of a user name in the log.
const MAX_LOGGED_NAME: usize = 64;

pub(super) struct Attempt {
    users: Arc<Users>,
    throttle: Arc<Throttle>,
    client: IpAddr,
    basic: Basic,
    login: Login,
    record: Option<Record>,
}

/// The record of a login in the audit log.
pub(super) struct Record {
    audit: Audit,
    caller: Caller,
    request_id: String,
}

impl Record {
    /// Of a login with the request that has these extensions.
    pub(super) fn of(audit: Audit, caller: Caller, extensions: &Extensions) -> Self {
        Self { audit, caller, request_id: request_id::text(extensions).to_owned() }
    }
}

impl Attempt {
    pub(super) fn new(
        users: Arc<Users>,
        throttle: Arc<Throttle>,
        client: IpAddr,
        basic: Basic,
        record: Option<Record>,
    ) -> Self {
        let origin = throttle.origin(client_address::network(client), basic.username());
        let login = users.login(origin, &basic);
        Self { users, throttle, client, basic, login, record }
    }

    /// Refuses a login after too many failures.
    pub(super) fn is_allowed(&self, now: Instant) -> Result<(), Denied> {
        let standing = self.users.standing(&self.login);
        self.throttle.check(&self.login.origin, standing, now).map_err(|wait| {
            self.record_refusal("throttled");
            Denied::Throttled { wait }
        })
    }

    pub(super) fn quick_verdict(&self) -> Verdict {
        self.users.quick_verdict(&self.login)
    }

    /// Counts and logs a failure. The name is foreign text, which `?` escapes.
    pub(super) fn fail(&self, now: Instant) {
        let next_after = self.throttle.record_failure(&self.login.origin, now);
        let user: String = self.basic.username().chars().take(MAX_LOGGED_NAME).collect();
        tracing::warn!(?user, address = %self.client, ?next_after, "a login failed");
        self.record(Outcome::Failed, None);
    }

    /// Records a success that was not remembered: not each request.
    pub(super) fn succeed(&self, is_new: bool) {
        if is_new {
            self.record(Outcome::Permitted, None);
        }
    }

    fn record_refusal(&self, reason: &'static str) {
        if self.record.is_some() && self.throttle.tells_refusal(client_address::network(self.client), Instant::now()) {
            self.record(Outcome::Refused, Some(reason));
        }
    }

    fn record(&self, outcome: Outcome, reason: Option<&'static str>) {
        if let Some(Record { audit, caller, request_id }) = &self.record {
            audit.login(caller, request_id, outcome, reason);
        }
    }

    /// Verifies the slow hash, in turn. A started verification finishes, counts, and keeps its place in the queue, even
    /// if the client hangs up.
    pub(super) async fn verify(self, queue: &Queue) -> Result<bool, Denied> {
        let Some(place) = queue.enter().await else {
            self.record_refusal("overloaded");
            return Err(Denied::Overloaded);
        };
        // Meanwhile the same credentials may have been verified, or the same name may have failed.
        if matches!(self.quick_verdict(), Verdict::Right { .. }) {
            return Ok(true);
        }
        let now = Instant::now();
        self.is_allowed(now)?;
        let span = Span::current();
        let verifying = spawn_blocking(move || {
            let is_right = self.users.verify(&self.login, &self.basic);
            if is_right {
                self.succeed(true);
            } else {
                span.in_scope(|| self.fail(now));
            }
            drop(place);
            is_right
        });
        Ok(verifying.await.unwrap_or(false))
    }
}
