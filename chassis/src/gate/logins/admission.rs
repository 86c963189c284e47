//! The check of one request's credentials, by their scheme.

use std::{
    net::IpAddr,
    sync::{Arc, PoisonError},
};

use axum::http::HeaderMap;
use graphql_http::Caller;
use headers::{
    Authorization, HeaderMapExt,
    authorization::{Basic, Bearer},
};
use tokio::time::Instant;

use super::{Authenticator, attempt::Attempt, denied::Denied, tokens::Refused, users::Verdict};
use crate::gate::client_address;

impl Authenticator {
    /// Checks the credentials of a client at this address.
    pub(super) async fn admit(&self, client: IpAddr, headers: &HeaderMap) -> Result<Caller, Denied> {
        if let Some(Authorization(bearer)) = headers.typed_get::<Authorization<Bearer>>() {
            return self.admit_token(client, bearer.token()).await;
        }
        match headers.typed_get::<Authorization<Basic>>() {
            Some(Authorization(basic)) => self.admit_user(client, basic).await,
            None => Err(Denied::Unauthenticated),
        }
    }

    async fn admit_user(&self, client: IpAddr, basic: Basic) -> Result<Caller, Denied> {
        let users = self.users.as_ref().ok_or(Denied::PasswordsOff)?;
        let users = Arc::clone(&users.read().unwrap_or_else(PoisonError::into_inner));
        let name = basic.username();
        let (roles, expired) = (users.groups.of(name), users.outdated.clone());
        let caller = Caller { name: name.into(), roles, expired, expires_at: None };
        let attempt = Attempt::new(users, Arc::clone(&self.throttle), client, basic);
        attempt.is_allowed(Instant::now())?;
        let is_right = match attempt.quick_verdict() {
            Verdict::Right => true,
            Verdict::Wrong => {
                attempt.fail(Instant::now());
                false
            }
            Verdict::NeedsHash => attempt.verify(&self.queue).await?,
        };
        if is_right { Ok(caller) } else { Err(Denied::Unauthenticated) }
    }

    /// A token that was accepted before does not wait for the failures of neighbours. One that the issuer has signed does
    /// not count as a failure: an application that goes on with an expired token guesses nothing.
    async fn admit_token(&self, client: IpAddr, token: &str) -> Result<Caller, Denied> {
        let tokens = self.tokens.as_ref().ok_or(Denied::TokensOff)?;
        if let Some(caller) = tokens.remembered(token) {
            return Ok(caller);
        }
        let network = client_address::network(client);
        self.throttle.check_token(network, Instant::now()).map_err(|wait| Denied::Throttled { wait })?;
        tokens.verify(token).await.map_err(|refused| match refused {
            Refused::NoKeys => Denied::NoKeys,
            Refused::Defect { defect, subject } => {
                if !defect.is_of_signed_token() {
                    self.throttle.record_forged_token(network, Instant::now());
                }
                let (issuer, subject) = (&tokens.issuer.url, subject.as_deref().unwrap_or("unknown"));
                tracing::warn!(address = %client, issuer, ?subject, "a token was refused: {defect}");
                Denied::BadToken(defect)
            }
        })
    }
}
