//! The speed of imports, of release programs in the directory `PROGRAMS`:
//!
//! ```text
//! cargo build --release -p consultation -p finance --bins
//! PROGRAMS=target/release cargo test -p all-in-one --test e2e -- --ignored --nocapture --test-threads 1 imports_of_release_programs
//! ```

use std::{path::PathBuf, time::Instant};

use rstest::rstest;
use testkit::{Backend, Process, TestDatabase};

use crate::{import::has_counts, predecessor::Predecessor};

/// Rows of each table.
const ROWS: u32 = 200_000;
/// Years of a clinic in a minute. Rows of the predecessor's tables, so a consultation and its pending payment are two.
const MIN_ROWS_PER_SECOND: f64 = 20_000.0;

#[rstest]
#[tokio::test]
#[ignore = "it measures release programs, which the tests do not build"]
async fn imports_of_release_programs_read_and_write_20_000_rows_a_second(
    #[values(Backend::Sqlite, Backend::Postgres)] backend: Backend,
) {
    // Cargo runs tests in the directory of their package.
    let programs = PathBuf::from("..").join(std::env::var("PROGRAMS").expect("PROGRAMS is their directory"));
    let Some(from) = Predecessor::empty(backend).await else { return };
    from.many(ROWS).await;
    for (program, variable, label, tables) in [
        ("finance", "FINANCE_DATABASE_URL", "payments", 1),
        ("consultation", "CONSULTATION_DATABASE_URL", "finished", 2),
    ] {
        let db = TestDatabase::empty(backend).await.expect("as before");
        let (url, from) = (db.url(), from.url());
        let settings = [(variable, url.as_str()), ("IMPORT_FROM", &from)];
        let run = |arguments: &[&str]| {
            let output = Process::command_in(Some(&programs), program, arguments, &settings).output().expect("it runs");
            String::from_utf8(output.stdout).expect("a text")
        };
        run(&["migrate"]);
        let import: &[_] =
            if program == "finance" { &["import", "--yes"] } else { &["import", "--yes", "--skip-finance-check"] };
        for (arguments, label) in [(&["import"][..], label), (import, label), (import, "there already")] {
            let began = Instant::now();
            has_counts(&run(arguments), &[(label, ROWS)]);
            let rate = f64::from(tables * ROWS) / began.elapsed().as_secs_f64();
            println!("{backend:?}: {program} {}, {label}: {rate:.0} rows/s", arguments.join(" "));
            assert!(rate >= MIN_ROWS_PER_SECOND, "{rate:.0} rows/s");
        }
    }
}
