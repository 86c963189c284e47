//! Imports that are killed, lose a race, or are called wrongly.

use std::{fs, process::Stdio, time::Instant};

use nix::sys::signal::Signal;
use rstest::rstest;
use sea_orm::{ConnectionTrait, DbBackend, Statement};
use testkit::{Backend, Process, TestDatabase, free_port};
use uuid::Uuid;

use crate::{
    cluster::Cluster,
    delivery::TEST_TIMEOUT,
    import::{has_counts, import_consultation, import_finance},
    predecessor::Predecessor,
};

const MANY: u32 = 20_000;
/// Name of the killed import's sessions.
const KILLED: &str = "killed-import";

async fn count(db: &TestDatabase, what: &str) -> i64 {
    let backend = db.database.read.get_database_backend();
    let sql = Statement::from_string(backend, format!("SELECT count(*) FROM {what}"));
    let row = db.database.read.query_one_raw(sql).await.expect("it runs").expect("a row");
    row.try_get_by_index(0).expect("a count")
}

/// Waits until PostgreSQL has noticed that the client is gone: it still finishes a statement that it has received.
async fn sessions_end(db: &TestDatabase) {
    let deadline = Instant::now() + TEST_TIMEOUT;
    let sessions = format!("pg_stat_activity WHERE application_name = '{KILLED}'");
    while db.database.read.get_database_backend() == DbBackend::Postgres && count(db, &sessions).await > 0 {
        assert!(Instant::now() < deadline, "a session of a killed client goes on");
    }
}

#[rstest]
#[tokio::test]
async fn an_import_that_is_killed_leaves_nothing_half_done_and_the_next_completes_it(
    #[values(Backend::Sqlite, Backend::Postgres)] backend: Backend,
) {
    let Some(cluster) = Cluster::start(backend).await else { return };
    let Some(from) = Predecessor::empty(backend).await else { return };
    from.many(MANY).await;
    let db = cluster.consultation_db();
    let url = db.url();
    let settings = [("CONSULTATION_DATABASE_URL", url.as_str()), ("PGAPPNAME", KILLED)];
    let arguments = ["import", "--yes", "--skip-finance-check", "--from", &from.url()];
    let mut command = Process::command("consultation", &arguments, &settings);
    let import = Process::spawn(command.stdout(Stdio::null()).stderr(Stdio::null()), 0);
    let deadline = Instant::now() + TEST_TIMEOUT;
    while count(db, "consultation").await == 0 {
        assert!(Instant::now() < deadline, "nothing was imported");
    }
    import.signal(Signal::SIGKILL);
    import.kill().await;
    sessions_end(db).await;
    let half = count(db, "consultation").await;
    assert!(half < i64::from(MANY), "it was killed too late");
    assert_eq!(half % 4_000, 0, "a batch is imported as a whole");
    let pending =
        "pending_payment JOIN consultation ON consultation.id = appointment_id AND price_cents = total_price_cents";
    assert_eq!(count(db, pending).await, half);

    let (text, code) = import_consultation(&cluster, &from, &["--yes", "--skip-finance-check"]);
    let there = u32::try_from(half).expect("a count");
    has_counts(&text, &[("there already", there), ("finished", MANY - there), ("left out", 0)]);
    assert_eq!(code, Some(0), "{text}");
    assert_eq!((count(db, "consultation").await, count(db, pending).await), (MANY.into(), MANY.into()));
    let counted = "(SELECT sum(row_count) AS total FROM consultation_count) AS counted WHERE total = 20000";
    assert_eq!(count(db, counted).await, 1, "the triggers that count rows were on");
    assert_eq!(import_finance(&cluster, &from, &["--yes"]).1, Some(0));
    let agrees = format!("{MANY} finished consultations, {MANY} payments, 0 in transit, 0 differences\n");
    assert_eq!(cluster.reconcile(), (agrees, Some(0)));
}

/// On SQLite an import holds the write lock: nobody can start between its look and its write.
#[tokio::test]
async fn a_start_that_wins_the_race_against_an_import_is_named() {
    let Some(cluster) = Cluster::start(Backend::Postgres).await else { return };
    let from = Predecessor::empty(Backend::Sqlite).await.expect("a file");
    let patient = Uuid::new_v4();
    let imported = from.consultation(patient, "2021-08-02 12:00:00", None, None).await;
    let database = &cluster.consultation_db().database;
    let racing = database.begin().await.expect("begun");
    let start = format!(
        "INSERT INTO consultation (id, physician_id, patient_id, start_date)
         VALUES (gen_random_uuid(), gen_random_uuid(), '{patient}', now())"
    );
    racing.execute_unprepared(&start).await.expect("started");
    let waits = Statement::from_string(
        DbBackend::Postgres,
        "SELECT 1 FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()",
    );
    let (cluster, from) = (&cluster, &from);
    let commit = async {
        while database.read.query_one_raw(waits.clone()).await.expect("it runs").is_none() {}
        racing.commit().await.expect("committed");
    };
    let url = cluster.consultation_db().url();
    let settings = [("CONSULTATION_DATABASE_URL", url.as_str())];
    let mut command = Process::command("consultation", &["import", "--yes", "--from", &from.url()], &settings);
    let import = command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().expect("it runs");
    commit.await;
    let output = import.wait_with_output().expect("it ends");
    let text = String::from_utf8(output.stdout).expect("a text");
    assert!(text.contains(&format!("PATIENT_IN_CONSULTATION {imported}: ")), "{text}");
    assert_eq!(output.status.code(), Some(1));

    let (text, code) = import_consultation(cluster, from, &["--yes"]);
    assert!(text.contains(&format!("NEWER_IN_PROGRESS {imported}: ")) && code == Some(0), "{text}");
}

#[rstest]
fn an_import_that_cannot_begin_says_why_and_shows_no_password(#[values("consultation", "finance")] program: &str) {
    let directory = tempfile::tempdir().expect("a directory");
    let path = |name: &str| directory.path().join(name).display().to_string();
    let [own, file] = [format!("sqlite://{}", path("own.sqlite")), path("url")];
    let database = if program == "finance" { "FINANCE_DATABASE_URL" } else { "CONSULTATION_DATABASE_URL" };
    let run = |arguments: &[&str], from: &str| {
        let mut settings = vec![(database, own.as_str())];
        settings.extend((!from.is_empty()).then_some(("IMPORT_FROM", from)));
        let output = Process::command(program, arguments, &settings).output().expect("it runs");
        let text = String::from_utf8([output.stdout, output.stderr].concat()).expect("a text");
        assert!(!text.contains("s3cret"), "{text}");
        (text, output.status.code())
    };
    assert_eq!(run(&["migrate"], "").1, Some(0));
    fs::write(&file, "postgres://clinic:s3cret@127.0.0.1:9/clinic\n").expect("written");
    for (arguments, from, why, code) in [
        (&["import"][..], "", "--from or --from-file is missing", 2),
        (&["import"], "mysql://clinic:s3cret@db/clinic", "the database URL must begin with", 2),
        (&["import"], "postgres://clinic:s3cret@host:port/clinic", "--from", 2),
        (&["import", "--from-file", &file], "", "cannot connect to the database at 127.0.0.1:9", 1),
        (&["import", "--from-file", &file], "sqlite:x", "not both", 2),
        (&["import"], "sqlite:///nowhere/db.sqlite3", "cannot connect to the database at /nowhere/db.sqlite3", 1),
        (&["import"], &own, "cannot read the predecessor's table", 1),
        (&["import", "--help"], "postgres://clinic:s3cret@db/clinic", "IMPORT_FROM", 0),
    ] {
        let (text, exit_code) = run(arguments, from);
        assert!(text.contains(why), "{arguments:?} {from}: {text}");
        assert_eq!(exit_code, Some(code), "{arguments:?} {from}: {text}");
    }
}

#[tokio::test]
async fn all_in_one_imports_into_both_of_its_databases() {
    let from = Predecessor::empty(Backend::Sqlite).await.expect("a file");
    from.many(2).await;
    let file = from.url().trim_start_matches("sqlite://").to_owned();
    let before = fs::read(&file).expect("a file");
    let directory = tempfile::tempdir().expect("a directory");
    let url = |name| format!("sqlite://{}/{name}.sqlite", directory.path().display());
    let port = free_port();
    let settings = [
        ("CONSULTATION_BIND", format!("127.0.0.1:{port}")),
        ("FINANCE_BIND", format!("127.0.0.1:{}", free_port())),
        ("CONSULTATION_DATABASE_URL", url("consultation")),
        ("FINANCE_DATABASE_URL", url("finance")),
    ];
    let settings = settings.each_ref().map(|(name, value)| (*name, value.as_str()));
    let run = |arguments: &[&str]| {
        let output = Process::command("all-in-one", arguments, &settings).output().expect("it runs");
        String::from_utf8([output.stdout, output.stderr].concat()).expect("a text")
    };
    let import = |name, counts| has_counts(&run(&[name, "--yes", "--from", &from.url()]), &[counts]);
    // Its first start makes the tables.
    Process::start("all-in-one", port, &settings).await.kill().await;
    import("import-finance", ("payments", 2));
    let _running = Process::start("all-in-one", port, &settings).await;
    import("import-consultation", ("finished", 2));
    assert!(fs::read(&file).expect("a file") == before, "the predecessor's file is as it was");
}
