//! The history of each pending payment, written by triggers.

use sea_orm::FromQueryResult;

use crate::store::Store;

const POSTGRES: &str = "
    CREATE TABLE chaos_history (
        n bigserial PRIMARY KEY, at timestamptz NOT NULL, writer text NOT NULL, row_id uuid NOT NULL,
        was_processing boolean, processing boolean, was_finished boolean, finished boolean,
        was_claim bigint, claim bigint, was_lease timestamptz, tries bigint);
    CREATE FUNCTION chaos_record() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        INSERT INTO chaos_history (at, writer, row_id, was_processing, processing, was_finished, finished, was_claim,
            claim, was_lease, tries)
        VALUES (clock_timestamp(), current_setting('application_name'), coalesce(NEW.id, OLD.id), OLD.processing,
            NEW.processing, OLD.finished, NEW.finished, OLD.claim_seq, NEW.claim_seq, OLD.lease_until, NEW.tries);
        RETURN NULL;
    END $$;
    CREATE TRIGGER chaos_record AFTER INSERT OR UPDATE OR DELETE ON pending_payment
        FOR EACH ROW EXECUTE FUNCTION chaos_record();";

/// SQLite has no sessions with names: the writer stays empty.
const SQLITE_TABLE: &str = "
    CREATE TABLE chaos_history (
        n integer PRIMARY KEY AUTOINCREMENT, at text NOT NULL, writer text NOT NULL, row_id blob NOT NULL,
        was_processing boolean, processing boolean, was_finished boolean, finished boolean,
        was_claim bigint, claim bigint, was_lease text, tries bigint);";
/// The trigger's event, the row's id, and the available values of the old and of the new row.
const SQLITE_TRIGGERS: [(&str, &str, &str); 3] = [
    ("INSERT", "NEW.id", "NULL, NEW.processing, NULL, NEW.finished, NULL, NEW.claim_seq, NULL, NEW.tries"),
    (
        "UPDATE",
        "NEW.id",
        "OLD.processing, NEW.processing, OLD.finished, NEW.finished, OLD.claim_seq, NEW.claim_seq, OLD.lease_until, \
         NEW.tries",
    ),
    ("DELETE", "OLD.id", "OLD.processing, NULL, OLD.finished, NULL, OLD.claim_seq, NULL, OLD.lease_until, NULL"),
];

/// One change of one row. A new row has no old values, a deleted one no new values.
#[derive(Debug, FromQueryResult)]
pub(crate) struct Change {
    /// Time of the change, in seconds since 1970.
    pub(crate) at: f64,
    /// The session that wrote: replica and start, as in `consultation-1.4`. Empty on SQLite.
    pub(crate) writer: String,
    pub(crate) row_id: String,
    pub(crate) was_processing: Option<bool>,
    pub(crate) processing: Option<bool>,
    pub(crate) was_finished: Option<bool>,
    pub(crate) finished: Option<bool>,
    pub(crate) was_claim: Option<i64>,
    pub(crate) claim: Option<i64>,
    pub(crate) was_lease: Option<f64>,
}

impl Change {
    pub(crate) fn is_claim(&self) -> bool {
        self.claim > self.was_claim && self.was_claim.is_some()
    }
}

/// Begins the history on a migrated and empty database.
pub(crate) async fn begin(store: &Store) -> anyhow::Result<()> {
    if !store.is_sqlite() {
        return store.run(POSTGRES).await;
    }
    store.run(SQLITE_TABLE).await?;
    for (event, id, values) in SQLITE_TRIGGERS {
        let trigger = format!(
            "CREATE TRIGGER chaos_record_{event} AFTER {event} ON pending_payment BEGIN
                INSERT INTO chaos_history (at, writer, row_id, was_processing, processing, was_finished, finished,
                    was_claim, claim, was_lease, tries)
                VALUES (strftime('%Y-%m-%dT%H:%M:%f+00:00', 'now'), '', {id}, {values});
            END;"
        );
        store.run(&trigger).await?;
    }
    Ok(())
}

/// The whole history, oldest first.
pub(crate) async fn read(store: &Store) -> anyhow::Result<Vec<Change>> {
    let (at, row, lease) = (store.seconds("at"), store.text("row_id"), store.seconds("was_lease"));
    let sql = format!(
        "SELECT {at} AS at, writer, {row} AS row_id, was_processing, processing, was_finished, finished, was_claim,
            claim, {lease} AS was_lease
        FROM chaos_history ORDER BY n"
    );
    store.rows(&sql).await
}

/// The number of rows that sessions like `writer` hold.
pub(crate) async fn held_by(store: &Store, writer: &str) -> anyhow::Result<i64> {
    let sql = format!(
        "SELECT count(*) AS n FROM pending_payment p
        JOIN chaos_history h ON h.row_id = p.id AND h.claim = p.claim_seq AND h.claim > h.was_claim
        WHERE p.processing AND h.writer LIKE '{writer}%'"
    );
    store.number(&sql).await
}

/// The number of rows that sessions like `writer` hold and sessions like `loser` held before.
pub(crate) async fn taken_over(store: &Store, writer: &str, loser: &str) -> anyhow::Result<i64> {
    let sql = format!(
        "SELECT count(*) AS n FROM pending_payment p
        JOIN chaos_history h ON h.row_id = p.id AND h.claim = p.claim_seq AND h.claim > h.was_claim
        JOIN chaos_history l ON l.row_id = p.id AND l.claim = p.claim_seq - 1 AND l.claim > l.was_claim
        WHERE p.processing AND h.writer LIKE '{writer}%' AND l.writer LIKE '{loser}%'"
    );
    store.number(&sql).await
}
