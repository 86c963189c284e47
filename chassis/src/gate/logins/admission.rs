//! The check of one request's credentials, by their scheme.

use std::{
    net::IpAddr,
    sync::{Arc, PoisonError},
};

use axum::http::{Extensions, HeaderMap};
use graphql_http::Caller;
use headers::{
    Authorization, HeaderMapExt,
    authorization::{Basic, Bearer},
};
use tokio::time::Instant;

use super::{
    Authenticator,
    attempt::{Attempt, Record},
    denied::Denied,
    tokens::{Refused, Tokens},
    users::Verdict,
};
use crate::{
    audit::Outcome,
    gate::{client_address, request_id},
};

impl Authenticator {
    /// Checks the credentials of a client at this address. `extensions` are those of its request.
    pub(super) async fn admit(
        &self,
        client: IpAddr,
        headers: &HeaderMap,
        extensions: &Extensions,
    ) -> Result<Caller, Denied> {
        let (method, admitted) = if let Some(Authorization(bearer)) = headers.typed_get::<Authorization<Bearer>>() {
            ("bearer", self.admit_token(client, bearer.token(), extensions).await)
        } else if let Some(Authorization(basic)) = headers.typed_get::<Authorization<Basic>>() {
            ("basic", self.admit_user(client, basic, extensions).await)
        } else {
            return Err(Denied::Unauthenticated);
        };
        self.meter.add(method, admitted.as_ref().err().map_or("ok", |denied| denied.name()));
        admitted
    }

    async fn admit_user(&self, client: IpAddr, basic: Basic, extensions: &Extensions) -> Result<Caller, Denied> {
        let users = self.users.as_ref().ok_or(Denied::PasswordsOff)?;
        let users = Arc::clone(&users.read().unwrap_or_else(PoisonError::into_inner));
        let name = basic.username();
        let (roles, expired) = (users.groups.of(name), users.outdated.clone());
        let caller = Caller { name: name.into(), roles, address: Some(client), expired, expires_at: None };
        let record = self.audit.map(|audit| Record::of(audit, caller.clone(), extensions));
        let attempt = Attempt::new(users, Arc::clone(&self.throttle), client, basic, record);
        attempt.is_allowed(Instant::now())?;
        let is_right = match attempt.quick_verdict() {
            Verdict::Right { is_new } => {
                attempt.succeed(is_new);
                true
            }
            Verdict::Wrong => {
                attempt.fail(Instant::now());
                false
            }
            Verdict::NeedsHash => attempt.verify(&self.queue).await?,
        };
        if is_right { Ok(caller) } else { Err(Denied::Unauthenticated) }
    }

    /// A token that was accepted before does not wait for the failures of neighbours, and has no further record.
    async fn admit_token(&self, client: IpAddr, token: &str, extensions: &Extensions) -> Result<Caller, Denied> {
        let tokens = self.tokens.as_ref().ok_or(Denied::TokensOff)?;
        if let Some(caller) = tokens.remembered(token) {
            return Ok(Caller { address: Some(client), ..caller });
        }
        let network = client_address::network(client);
        if let Err(wait) = self.throttle.check_token(network, Instant::now()) {
            self.record_refusal(tokens, client, extensions, "throttled");
            return Err(Denied::Throttled { wait });
        }
        match tokens.verify(token).await {
            Ok(caller) => {
                let caller = Caller { address: Some(client), ..caller };
                self.record(&caller, extensions, Outcome::Permitted, None);
                Ok(caller)
            }
            Err(Refused::NoKeys) => {
                self.record_refusal(tokens, client, extensions, "no keys");
                Err(Denied::NoKeys)
            }
            Err(Refused::Defect { defect, subject }) => {
                let stranger = tokens.stranger(client, subject.as_deref());
                self.record(&stranger, extensions, Outcome::Failed, Some(&defect.to_string()));
                // One that the issuer has signed is no guess: an application goes on with an expired token.
                if !defect.is_of_signed_token() {
                    self.throttle.record_forged_token(network, Instant::now());
                }
                let (issuer, subject) = (&tokens.issuer.url, subject.as_deref().unwrap_or("unknown"));
                tracing::warn!(address = %client, issuer, ?subject, "a token was refused: {defect}");
                Err(Denied::BadToken(defect))
            }
        }
    }

    fn record_refusal(&self, tokens: &Tokens, client: IpAddr, extensions: &Extensions, reason: &str) {
        if self.audit.is_some() && self.throttle.tells_refusal(client_address::network(client), Instant::now()) {
            self.record(&tokens.stranger(client, None), extensions, Outcome::Refused, Some(reason));
        }
    }

    fn record(&self, caller: &Caller, extensions: &Extensions, outcome: Outcome, reason: Option<&str>) {
        if let Some(audit) = self.audit {
            audit.login(caller, request_id::text(extensions), outcome, reason);
        }
    }
}
