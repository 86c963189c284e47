//! One login: throttle, cached verdict, hash.

use std::{net::IpAddr, sync::Arc};

use headers::authorization::Basic;
use tokio::{task::spawn_blocking, time::Instant};
use tracing::Span;

use super::{
    denied::Denied,
    queue::Queue,
    throttle::Throttle,
    users::{Login, Users, Verdict},
};
use crate::gate::client_address;

/// Characters of a user name in the log.
const MAX_LOGGED_NAME: usize = 64;

pub(super) struct Attempt {
    users: Arc<Users>,
    throttle: Arc<Throttle>,
    client: IpAddr,
    basic: Basic,
    login: Login,
}

impl Attempt {
    pub(super) fn new(users: Arc<Users>, throttle: Arc<Throttle>, client: IpAddr, basic: Basic) -> Self {
        let origin = throttle.origin(client_address::network(client), basic.username());
        let login = users.login(origin, &basic);
        Self { users, throttle, client, basic, login }
    }

    /// Refuses a login after too many failures.
    pub(super) fn is_allowed(&self, now: Instant) -> Result<(), Denied> {
        let standing = self.users.standing(&self.login);
        self.throttle.check(&self.login.origin, standing, now).map_err(|wait| Denied::Throttled { wait })
    }

    pub(super) fn quick_verdict(&self) -> Verdict {
        self.users.quick_verdict(&self.login)
    }

    /// Counts and logs a failure. The name is foreign text, which `?` escapes.
    pub(super) fn fail(&self, now: Instant) {
        let next_after = self.throttle.record_failure(&self.login.origin, now);
        let user: String = self.basic.username().chars().take(MAX_LOGGED_NAME).collect();
        tracing::warn!(?user, address = %self.client, ?next_after, "a login failed");
    }

    /// Verifies the slow hash, in turn. A started verification finishes, counts, and keeps its place in the queue, even
    /// if the client hangs up.
    pub(super) async fn verify(self, queue: &Queue) -> Result<bool, Denied> {
        let place = queue.enter().await.ok_or(Denied::Overloaded)?;
        // Meanwhile the same credentials may have been verified, or the same name may have failed.
        if matches!(self.quick_verdict(), Verdict::Right) {
            return Ok(true);
        }
        let now = Instant::now();
        self.is_allowed(now)?;
        let span = Span::current();
        let verifying = spawn_blocking(move || {
            let is_right = self.users.verify(&self.login, &self.basic);
            if !is_right {
                span.in_scope(|| self.fail(now));
            }
            drop(place);
            is_right
        });
        Ok(verifying.await.unwrap_or(false))
    }
}
