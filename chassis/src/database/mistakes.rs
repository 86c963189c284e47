//! A session with a seeded mistake: the chaos campaign shows with it that its checker finds mistakes. In builds with
//! the feature `seeded-mistakes` it replaces [`session::Session`]. Without `SEEDED_MISTAKE` it is correct.
//!
//! The variable holds the mistake as JSON. Most mistakes replace the texts of statements, so no code of a service knows
//! of them.

use std::{
    future::{Future, pending},
    ops::{Deref, DerefMut},
    sync::{
        LazyLock, Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
};

use sea_orm::{ExecResult, QueryResult, Statement, sqlx::Error};
use serde::Deserialize;

use super::{
    faults,
    options::{Options, Target},
    session,
};
use crate::clock;

#[cfg(not(debug_assertions))]
compile_error!("the feature seeded-mistakes is for tests: no release build makes mistakes on purpose");

/// First statement of a transaction that [`Mistake::keeps_broken_connections`] can continue by accident.
const SAVEPOINT: &str = "SAVEPOINT";
const UNTIL_DROPPED: &str = "a session until it is closed or dropped";
/// Placeholder for the process's time in a replacement.
const PROCESS_CLOCK: &str = "{process clock}";

static MISTAKE: LazyLock<Mistake> = LazyLock::new(|| match std::env::var("SEEDED_MISTAKE") {
    Ok(mistake) => serde_json::from_str(&mistake).expect("SEEDED_MISTAKE is a mistake as JSON"),
    Err(_) => Mistake::default(),
});

/// A connection that was given up inside a transaction.
static BROKEN: Mutex<Option<session::Session>> = Mutex::new(None);

#[derive(Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct Mistake {
    rewrites: Vec<Rewrite>,
    /// Waits for ever where a correct session gives up after a deadline.
    has_no_deadlines: bool,
    /// Reuses a connection for the next transaction although it was given up inside one.
    keeps_broken_connections: bool,
}

/// The replacement of a statement.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Rewrite {
    /// Part of the statement, to recognise it. Texts are compared with one blank between words.
    statement: String,
    /// The statements that are sent instead, in this order and with the same values, each as replacements in its text.
    /// The caller gets the result of the last.
    instead: Vec<Vec<(String, String)>>,
    #[serde(skip)]
    is_made: AtomicBool,
}

impl Rewrite {
    /// The texts of the statements to send instead of `sql`. Its words have one blank between them.
    fn texts(&self, sql: &str) -> Vec<String> {
        let texts = self.instead.iter().map(|replacements| {
            replacements.iter().fold(sql.to_owned(), |text, (part, replacement)| {
                // A mistake made by half would be found, or missed, for another reason.
                assert!(text.contains(part), "seeded mistake not made: no {part} in {text}");
                text.replace(part, &replacement.replace(PROCESS_CLOCK, &clock::now().to_rfc3339()))
            })
        });
        let texts = texts.collect();
        log_once(&self.is_made, &self.statement);
        texts
    }
}

/// The texts of the statements to send instead of `sql`, if any.
fn rewritten(sql: &str) -> Option<Vec<String>> {
    if MISTAKE.rewrites.is_empty() {
        return None;
    }
    let sql = sql.split_whitespace().collect::<Vec<_>>().join(" ");
    let rewrite = MISTAKE.rewrites.iter().find(|rewrite| sql.contains(&rewrite.statement))?;
    Some(rewrite.texts(&sql))
}

/// The campaign reads the log: a mistake that was not made proves nothing.
fn log_once(is_made: &AtomicBool, what: &str) {
    if !is_made.swap(true, Ordering::Relaxed) {
        tracing::info!("seeded mistake made: {what}");
    }
}

/// A [`session::Session`] that makes the mistake.
#[derive(Debug)]
pub(super) struct Session {
    /// `None` once it is closed or dropped.
    correct: Option<session::Session>,
    is_in_transaction: bool,
}

impl Session {
    pub(super) async fn connect(options: &Options, target: Target) -> Result<Self, Error> {
        let correct = session::Session::connect(options, target).await?;
        Ok(Self { correct: Some(correct), is_in_transaction: false })
    }

    pub(super) async fn execute(&mut self, statement: Statement) -> Result<ExecResult, Error> {
        let last = self.last_of(statement).await?;
        answer(self.deref_mut().execute(last)).await
    }

    pub(super) async fn execute_unprepared(&mut self, sql: &str) -> Result<ExecResult, Error> {
        let sql = rewritten(sql).and_then(|mut texts| texts.pop()).unwrap_or_else(|| sql.to_owned());
        let begins = sql.starts_with(SAVEPOINT);
        if begins && let Some(broken) = BROKEN.lock().unwrap_or_else(PoisonError::into_inner).take() {
            self.correct = Some(broken);
        }
        self.is_in_transaction |= begins;
        let result = answer(self.deref_mut().execute_unprepared(&sql)).await;
        self.is_in_transaction &= begins || result.is_err();
        result
    }

    pub(super) async fn query_one(&mut self, statement: Statement) -> Result<Option<QueryResult>, Error> {
        let last = self.last_of(statement).await?;
        answer(self.deref_mut().query_one(last)).await
    }

    pub(super) async fn query_all(&mut self, statement: Statement) -> Result<Vec<QueryResult>, Error> {
        let last = self.last_of(statement).await?;
        answer(self.deref_mut().query_all(last)).await
    }

    /// Sends all statements but the last of those that replace `statement`.
    async fn last_of(&mut self, mut statement: Statement) -> Result<Statement, Error> {
        let mut texts = rewritten(&statement.sql).unwrap_or_default();
        if let Some(last) = texts.pop() {
            for sql in texts {
                self.deref_mut().execute(Statement { sql, ..statement.clone() }).await?;
            }
            statement.sql = last;
        }
        Ok(statement)
    }

    pub(super) async fn ping(&mut self) -> Result<(), Error> {
        answer(self.deref_mut().ping()).await
    }

    pub(super) async fn close(mut self) -> Result<(), Error> {
        self.correct.take().expect(UNTIL_DROPPED).close().await
    }
}

impl Deref for Session {
    type Target = session::Session;

    fn deref(&self) -> &session::Session {
        self.correct.as_ref().expect(UNTIL_DROPPED)
    }
}

impl DerefMut for Session {
    fn deref_mut(&mut self) -> &mut session::Session {
        self.correct.as_mut().expect(UNTIL_DROPPED)
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        static IS_MADE: AtomicBool = AtomicBool::new(false);
        if MISTAKE.keeps_broken_connections && self.is_in_transaction {
            log_once(&IS_MADE, "keeps_broken_connections");
            *BROKEN.lock().unwrap_or_else(PoisonError::into_inner) = self.correct.take();
        }
    }
}

/// The answer to a statement, or none when the session is silent and has no deadlines.
async fn answer<T>(answer: impl Future<Output = Result<T, Error>>) -> Result<T, Error> {
    static IS_MADE: AtomicBool = AtomicBool::new(false);
    match answer.await {
        Err(error) if MISTAKE.has_no_deadlines && faults::is_silence(&error) => {
            log_once(&IS_MADE, "has_no_deadlines");
            pending().await
        }
        result => result,
    }
}
