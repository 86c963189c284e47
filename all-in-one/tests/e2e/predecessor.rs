//! The predecessor's databases, as Django 3.2 makes them.

use sea_orm::{ConnectionTrait, DatabaseConnection};
use secrecy::SecretString;
use tempfile::TempDir;
use testkit::{Backend, TestDatabase};
use uuid::Uuid;

/// Ids of payments are integers here: an `AutoField`.
const SQLITE: [&str; 3] = [
    r#"CREATE TABLE "consultation" ("id" char(32) NOT NULL PRIMARY KEY, "start_date" datetime NOT NULL,
       "end_date" datetime NULL, "physician_id" char(32) NOT NULL, "patient_id" char(32) NOT NULL, "price" decimal NULL)"#,
    r#"CREATE TABLE "pending_payment" ("id" integer NOT NULL PRIMARY KEY AUTOINCREMENT,
       "appointment_id" char(32) NOT NULL, "total_price" decimal NOT NULL, "tries" integer NOT NULL,
       "processing" bool NOT NULL, "finished" bool NOT NULL)"#,
    r#"CREATE TABLE "payment" ("id" integer NOT NULL PRIMARY KEY AUTOINCREMENT, "appointment_id" char(32) NOT NULL,
       "total_price" decimal NOT NULL)"#,
];
/// Ids of payments are UUIDs here: a `UUIDField`, whose default Django makes.
const POSTGRES: [&str; 3] = [
    r#"CREATE TABLE "consultation" ("id" uuid NOT NULL PRIMARY KEY, "start_date" timestamp with time zone NOT NULL,
       "end_date" timestamp with time zone NULL, "physician_id" uuid NOT NULL, "patient_id" uuid NOT NULL,
       "price" numeric(11, 2) NULL)"#,
    r#"CREATE TABLE "pending_payment" ("id" uuid NOT NULL PRIMARY KEY, "appointment_id" uuid NOT NULL,
       "total_price" numeric(11, 2) NOT NULL, "tries" integer NOT NULL, "processing" boolean NOT NULL,
       "finished" boolean NOT NULL)"#,
    r#"CREATE TABLE "payment" ("id" uuid NOT NULL PRIMARY KEY, "appointment_id" uuid NOT NULL,
       "total_price" numeric(11, 2) NOT NULL)"#,
];

/// One database with all three tables.
pub(crate) struct Predecessor {
    backend: Backend,
    url: SecretString,
    database: DatabaseConnection,
    _kept: (Option<TestDatabase>, Option<TempDir>),
}

impl Predecessor {
    /// Empty tables; `None` without PostgreSQL.
    pub(crate) async fn empty(backend: Backend) -> Option<Self> {
        let (url, kept, tables) = match backend {
            Backend::Sqlite => {
                let directory = tempfile::tempdir().expect("a directory");
                (format!("sqlite://{}/db.sqlite3", directory.path().display()), (None, Some(directory)), SQLITE)
            }
            Backend::Postgres => {
                let db = TestDatabase::empty(backend).await?;
                (db.url(), (Some(db), None), POSTGRES)
            }
        };
        let create = if backend == Backend::Sqlite { format!("{url}?mode=rwc") } else { url.clone() };
        let database = sea_orm::Database::connect(create).await.expect("a connection");
        let this = Self { backend, url: url.into(), database, _kept: kept };
        for table in tables {
            this.execute(table).await;
        }
        Some(this)
    }

    pub(crate) fn url(&self) -> String {
        secrecy::ExposeSecret::expose_secret(&self.url).to_owned()
    }

    pub(crate) async fn execute(&self, sql: &str) {
        self.database.execute_unprepared(sql).await.unwrap_or_else(|error| panic!("{sql}: {error}"));
    }

    /// Adds a consultation from the first time to the second, with a price; its id.
    pub(crate) async fn consultation(
        &self,
        patient: Uuid,
        start: &str,
        end: Option<&str>,
        price: Option<&str>,
    ) -> Uuid {
        let id = Uuid::new_v4();
        let (literal, physician, patient) = (self.id(id), self.id(Uuid::new_v4()), self.id(patient));
        let text = |value: Option<&str>| value.map_or("NULL".to_owned(), |value| format!("'{value}'"));
        let columns = "id, start_date, end_date, physician_id, patient_id, price";
        let (start, end, price) = (self.time(start), end.map(|end| self.time(end)), text(price));
        let end = text(end.as_deref());
        let values = format!("{literal}, '{start}', {end}, {physician}, {patient}, {price}");
        self.execute(&format!("INSERT INTO consultation ({columns}) VALUES ({values})")).await;
        id
    }

    /// One of 90 minutes, with its price.
    pub(crate) async fn finished(&self, price: &str) -> Uuid {
        let [start, end] = ["2021-08-02 12:00:00", "2021-08-02 13:30:00"];
        self.consultation(Uuid::new_v4(), start, Some(end), Some(price)).await
    }

    /// Adds a pending payment. One that is being processed was so when the predecessor was killed.
    pub(crate) async fn pending(&self, appointment: Uuid, price: &str, finished: bool) {
        let (appointment, processing) = (self.id(appointment), !finished);
        let (columns, id) = self.new_id();
        let values = format!("{id}{appointment}, '{price}', 3, {processing}, {finished}");
        let columns = format!("{columns}appointment_id, total_price, tries, processing, finished");
        self.execute(&format!("INSERT INTO pending_payment ({columns}) VALUES ({values})")).await;
    }

    /// Adds a payment to finance.
    pub(crate) async fn payment(&self, appointment: Uuid, price: &str) {
        let appointment = self.id(appointment);
        let (column, id) = self.new_id();
        let sql =
            format!("INSERT INTO payment ({column}appointment_id, total_price) VALUES ({id}{appointment}, '{price}')");
        self.execute(&sql).await;
    }

    /// Adds finished and delivered consultations of one hour in bulk.
    pub(crate) async fn many(&self, count: u32) {
        let (numbers, id, hour_later) = match self.backend {
            Backend::Sqlite => (
                format!(
                    "WITH RECURSIVE numbers (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM numbers WHERE n < {count})"
                ),
                "lower(hex(randomblob(16)))",
                "datetime(start_date, '+1 hour')",
            ),
            Backend::Postgres => (
                format!("WITH numbers AS (SELECT n FROM generate_series(1, {count}) AS n)"),
                "gen_random_uuid()",
                "start_date + interval '1 hour'",
            ),
        };
        let start = self.time("2021-08-02 12:00:00.123456");
        let (one_id, comma) = if self.backend == Backend::Sqlite { ("", "") } else { ("id, ", "gen_random_uuid(), ") };
        for sql in [
            format!(
                "{numbers} INSERT INTO consultation (id, start_date, physician_id, patient_id, price)
                 SELECT {id}, '{start}', {id}, {id}, '200.00' FROM numbers"
            ),
            format!("UPDATE consultation SET end_date = {hour_later}"),
            format!(
                "INSERT INTO pending_payment ({one_id}appointment_id, total_price, tries, processing, finished)
                 SELECT {comma}id, price, 1, false, true FROM consultation"
            ),
            format!(
                "INSERT INTO payment ({one_id}appointment_id, total_price) SELECT {comma}id, price FROM consultation"
            ),
        ] {
            self.execute(&sql).await;
        }
    }

    /// An id as a literal: Django writes 32 digits to SQLite.
    pub(crate) fn id(&self, id: Uuid) -> String {
        if self.backend == Backend::Sqlite { format!("'{}'", id.simple()) } else { format!("'{id}'") }
    }

    /// A time in UTC, with its offset where the column has one.
    fn time(&self, time: &str) -> String {
        if self.backend == Backend::Sqlite { time.to_owned() } else { format!("{time}+00") }
    }

    /// Column and value of a new id, where the database makes none.
    fn new_id(&self) -> (&'static str, String) {
        match self.backend {
            Backend::Sqlite => ("", String::new()),
            Backend::Postgres => ("id, ", format!("'{}', ", Uuid::new_v4())),
        }
    }
}
