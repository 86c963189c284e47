//! The claims of a signed token.

use std::{sync::Arc, time::Duration};

use chrono::{DateTime, Utc};
use serde_json::Value;

use super::defect::Defect;
use crate::config::TokenIssuer;

/// Accepted difference between the issuer's clock and ours. A token is accepted so much longer than its `exp` says, and so
/// much earlier than its `nbf`.
pub(super) const LEEWAY: Duration = Duration::from_secs(30);
/// Longest subject, by OpenID Connect.
const MAX_SUBJECT_CHARS: usize = 255;

/// What an accepted token says.
pub(super) struct Claims {
    pub(super) subject: String,
    pub(super) roles: Arc<[&'static str]>,
    /// Time until the token expires.
    pub(super) remaining: Duration,
}

impl Claims {
    /// Checks the claims at `now`. Roles that are not among `known` are ignored: the issuer serves others too.
    pub(super) fn check(
        claims: &Value,
        issuer: &TokenIssuer,
        known: &[&'static str],
        now: DateTime<Utc>,
    ) -> Result<Self, Defect> {
        if text(claims, "iss")? != issuer.url {
            return Err(Defect::Issuer);
        }
        // Hashes of the tokens that came with it. Other claims of ID tokens are in some issuers' access tokens too.
        if ["at_hash", "c_hash"].iter().any(|hash| claims.get(hash).is_some()) {
            return Err(Defect::IdToken);
        }
        if !is_for(claims, &issuer.audience)? {
            return Err(Defect::Audience);
        }
        let now = Duration::from_millis(u64::try_from(now.timestamp_millis()).unwrap_or(0));
        let expires = time(claims, "exp")?.ok_or(Defect::Claim("exp"))?.saturating_add(LEEWAY);
        let remaining = expires.checked_sub(now).filter(|left| !left.is_zero()).ok_or(Defect::Expired)?;
        if time(claims, "nbf")?.is_some_and(|from| from > now + LEEWAY) {
            return Err(Defect::NotYetValid);
        }
        let subject = subject(claims).ok_or(Defect::Claim("sub"))?.to_owned();
        Ok(Self { subject, roles: roles(claims.pointer(&issuer.roles_claim), known), remaining })
    }
}

/// The claim `sub`, if it can be a part of a name.
pub(super) fn subject(claims: &Value) -> Option<&str> {
    let subject = claims.get("sub")?.as_str()?;
    let is_name = (1..=MAX_SUBJECT_CHARS).contains(&subject.chars().count()) && !subject.contains(char::is_control);
    is_name.then_some(subject)
}

fn text<'a>(claims: &'a Value, name: &'static str) -> Result<&'a str, Defect> {
    claims.get(name).and_then(Value::as_str).ok_or(Defect::Claim(name))
}

/// Whether the audience is the one name, or among several.
fn is_for(claims: &Value, audience: &str) -> Result<bool, Defect> {
    match claims.get("aud") {
        Some(Value::String(one)) => Ok(one == audience),
        Some(Value::Array(several)) => Ok(several.iter().any(|one| one == audience)),
        _ => Err(Defect::Claim("aud")),
    }
}

/// A time since 1970, which may have a fraction of a second.
fn time(claims: &Value, name: &'static str) -> Result<Option<Duration>, Defect> {
    let Some(seconds) = claims.get(name) else { return Ok(None) };
    let time = seconds.as_f64().and_then(|seconds| Duration::try_from_secs_f64(seconds).ok());
    time.map(Some).ok_or(Defect::Claim(name))
}

/// The known ones of the roles in a claim: an array, or a text with spaces as `scope` has.
fn roles(claim: Option<&Value>, known: &[&'static str]) -> Arc<[&'static str]> {
    let has = |role: &str| match claim {
        Some(Value::String(roles)) => roles.split_whitespace().any(|given| given == role),
        Some(Value::Array(roles)) => roles.iter().any(|given| given == role),
        _ => false,
    };
    known.iter().copied().filter(|role| has(role)).collect()
}
