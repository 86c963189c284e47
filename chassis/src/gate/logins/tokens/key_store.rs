//! The keys in use. One task renews them: periodically, and when a token names an unknown key.

use std::{
    sync::{Arc, Mutex, PoisonError, RwLock},
    time::Duration,
};

use prometheus_client::metrics::gauge::Gauge;
use tokio::{
    sync::watch,
    time::{Instant, timeout},
};

use super::{
    defect::Defect,
    jws::Jws,
    key_source::{FETCH_TIMEOUT, KeySource, read_file},
    keys::{Key, Keys},
};
use crate::{clock, config::TokenIssuer, gate::logins::RELOAD_INTERVAL};

/// Delay after which a key that the issuer withdrew is refused.
const FETCH_INTERVAL: Duration = Duration::from_hours(1);
/// Interval of tries while the issuer does not answer.
const RETRY_INTERVAL: Duration = Duration::from_secs(5);
/// Interval of fetches for unknown keys: anyone can make them up.
const MIN_ASK_INTERVAL: Duration = Duration::from_mins(1);

#[derive(Debug)]
pub(super) struct KeyStore {
    source: KeySource,
    keys: RwLock<Keys>,
    /// Whether a renewal is wanted or under way.
    is_due: watch::Sender<bool>,
    /// When an unknown key last made a renewal due.
    asked_at: Mutex<Option<Instant>>,
    /// When the keys were last read, in seconds since 1970; 0 before.
    pub(super) read_at: Gauge,
}

/// Why there is no key for a token.
pub(super) enum NoKey {
    Defect(Defect),
    /// No keys were fetched yet.
    NoneYet,
}

impl KeyStore {
    /// Reads a file at once. An issuer is asked later, so that its outage does not keep a service from starting.
    pub(super) fn open(issuer: &TokenIssuer) -> anyhow::Result<Self> {
        let source = KeySource::of(issuer)?;
        let read_at = Gauge::default();
        let (keys, is_due) = match &source {
            KeySource::File(file) => {
                let keys = read_file(file)?;
                read_at.set(clock::now().timestamp());
                (keys, false)
            }
            KeySource::Issuer { .. } => (Keys::default(), true),
        };
        let (keys, is_due) = (RwLock::new(keys), watch::Sender::new(is_due));
        Ok(Self { source, keys, is_due, asked_at: Mutex::default(), read_at })
    }

    /// The key of a token. For an unknown one it waits for a renewal that is due, or makes one due.
    pub(super) async fn find(&self, token: &Jws<'_>) -> Result<Arc<Key>, NoKey> {
        let mut found = self.of(token);
        if matches!(found, Err(NoKey::NoneYet | NoKey::Defect(Defect::UnknownKey))) {
            let mut is_due = self.is_due.subscribe();
            if !*is_due.borrow() && self.may_ask(Instant::now()) {
                self.is_due.send_replace(true);
            }
            // Without a renewal that is due it returns at once.
            let _ = timeout(FETCH_TIMEOUT, is_due.wait_for(|is_due| !is_due)).await;
            found = self.of(token);
        }
        found
    }

    /// Reads the keys. Returns whether they have changed.
    async fn renew(&self) -> anyhow::Result<bool> {
        let read = self.source.read().await;
        let changed = read.map(|new| self.keys.write().unwrap_or_else(PoisonError::into_inner).replace(new));
        if changed.is_ok() {
            self.read_at.set(clock::now().timestamp());
        }
        self.is_due.send_replace(false);
        changed
    }

    /// Renews the keys for ever. A failure is logged once.
    pub(super) async fn keep_renewed(&self, issuer: &str) {
        let mut failure = String::new();
        let mut is_due = self.is_due.subscribe();
        loop {
            let interval = match self.renew().await {
                Ok(has_changed) => {
                    if has_changed || !failure.is_empty() {
                        tracing::info!(issuer, "the keys of the issuer were read");
                    }
                    failure.clear();
                    self.interval()
                }
                Err(error) => {
                    let error = format!("{error:#}");
                    if error != failure {
                        tracing::error!(issuer, "the keys of the issuer stay as they are: {error}");
                        failure = error;
                    }
                    RETRY_INTERVAL
                }
            };
            let _ = timeout(interval, is_due.wait_for(|is_due| *is_due)).await;
        }
    }

    fn of(&self, token: &Jws<'_>) -> Result<Arc<Key>, NoKey> {
        let keys = self.keys.read().unwrap_or_else(PoisonError::into_inner);
        if keys.is_empty() {
            return Err(NoKey::NoneYet);
        }
        keys.of(token).map_err(NoKey::Defect)
    }

    fn interval(&self) -> Duration {
        match self.source {
            KeySource::File(_) => RELOAD_INTERVAL,
            KeySource::Issuer { .. } => FETCH_INTERVAL,
        }
    }

    /// Whether an unknown key may make a renewal due. A file is read soon anyway.
    fn may_ask(&self, now: Instant) -> bool {
        let mut asked_at = self.asked_at.lock().unwrap_or_else(PoisonError::into_inner);
        let may_ask = matches!(self.source, KeySource::Issuer { .. })
            && asked_at.is_none_or(|at| now.duration_since(at) >= MIN_ASK_INTERVAL);
        if may_ask {
            *asked_at = Some(now);
        }
        may_ask
    }
}
