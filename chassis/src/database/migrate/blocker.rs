//! Sessions that block a PostgreSQL session.

use sea_orm::{ConnectionTrait, DbBackend, DbErr, FromQueryResult, Statement};

use super::Blocked;

/// The oldest transaction first: it is the forgotten one. `pg_blocking_pids` also returns sessions further ahead in the
/// queue, a session with parallel workers several times, and 0 for a prepared transaction.
const BLOCKERS: &str = "
    SELECT blocking.pid, usename::text AS username, application_name, state, backend_type,
           extract(epoch FROM clock_timestamp() - xact_start)::bigint AS seconds, left(query, 100) AS query
    FROM (SELECT DISTINCT unnest(pg_blocking_pids($1)) AS pid) AS blocking LEFT JOIN pg_stat_activity USING (pid)
    ORDER BY xact_start LIMIT 3";

/// A role without `pg_read_all_stats` sees only pid, user and application of other roles' sessions.
#[derive(FromQueryResult)]
struct Blocker {
    pid: i32,
    username: Option<String>,
    application_name: Option<String>,
    state: Option<String>,
    backend_type: Option<String>,
    seconds: Option<i64>,
    query: Option<String>,
}

/// The sessions that block the session `pid`; `None` if it does not wait.
pub(super) async fn of(observer: &impl ConnectionTrait, pid: i32) -> Result<Option<Blocked>, DbErr> {
    let statement = Statement::from_sql_and_values(DbBackend::Postgres, BLOCKERS, [pid.into()]);
    let blockers = Blocker::find_by_statement(statement).all(observer).await?;
    let Some(oldest) = blockers.first() else { return Ok(None) };
    let by: Vec<_> = blockers.iter().map(ToString::to_string).collect();
    let yields_to_longer_waits =
        blockers.iter().all(|blocker| blocker.backend_type.as_deref() == Some("autovacuum worker"));
    Ok(Some(Blocked { by: by.join("; and by "), remedy: oldest.remedy(), yields_to_longer_waits }))
}

impl Blocker {
    fn remedy(&self) -> String {
        match self.pid {
            0 => {
                "End it with COMMIT PREPARED or ROLLBACK PREPARED and its name in pg_prepared_xacts, then migrate again"
                    .to_owned()
            }
            pid => format!(
                "End its transaction in the program that began it, or with SELECT pg_terminate_backend({pid}), then migrate again"
            ),
        }
    }
}

impl std::fmt::Display for Blocker {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        if self.pid == 0 {
            return f.write_str("a prepared transaction (SELECT * FROM pg_prepared_xacts)");
        }
        let known = |value: &Option<String>| value.clone().unwrap_or_else(|| "unknown".to_owned());
        let age = self.seconds.map_or_else(|| "of unknown age".to_owned(), |seconds| format!("{seconds} s old"));
        let (user, application) = (known(&self.username), known(&self.application_name));
        let (state, query) = (known(&self.state), known(&self.query));
        // A log line is one line.
        let query = query.split_whitespace().collect::<Vec<_>>().join(" ");
        write!(
            f,
            "pid {} (user {user}, application \"{application}\", state {state}, transaction {age}, query: {query})",
            self.pid
        )
    }
}
