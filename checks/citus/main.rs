//! The statements of the services are such as Citus takes, on any PostgreSQL: their analysed trees are compared with the
//! rules of its planner.

mod rules;
mod statements;
mod tree;

use std::{collections::HashMap, process::Command};

use rules::{Volatility, refusals};
use testkit::{Backend, TestDatabase};
use tree::Node;

/// The first count of a table, by migrations, which come before anything is in it.
const FIRST_COUNT: &str = "_count SELECT 0, count(*)";

/// Fewer mean that the log was not read.
const FEWEST_STATEMENTS: usize = 30;

/// Runs psql, with the server's log messages in its output.
fn psql(db: &TestDatabase, sql: &str) -> String {
    let mut psql = Command::new("psql");
    psql.args([
        "-XqAt",
        "-F",
        " ",
        "-v",
        "ON_ERROR_STOP=1",
        &db.url(),
        "-c",
        "SET client_min_messages = log",
        "-c",
        sql,
    ]);
    let output = psql.output().expect("psql runs");
    let text = String::from_utf8([output.stdout, output.stderr].concat()).expect("a text");
    assert!(output.status.success(), "{text}");
    text
}

fn volatility(db: &TestDatabase) -> Volatility {
    let map = |sql| {
        let lines = psql(db, sql);
        let pairs = lines.lines().map(|line| line.split_once(' ').expect("two columns"));
        pairs
            .map(|(oid, volatility)| (oid.to_owned(), volatility.parse().expect("a letter")))
            .collect::<HashMap<_, _>>()
    };
    Volatility {
        functions: map("SELECT oid, provolatile FROM pg_proc"),
        inputs: map("SELECT pg_type.oid, provolatile FROM pg_type JOIN pg_proc ON pg_proc.oid = typinput"),
    }
}

/// A database with a table like the outbox.
async fn database() -> TestDatabase {
    let db = TestDatabase::empty(Backend::Postgres).await.expect("PostgreSQL is installed");
    psql(&db, "CREATE TABLE job (id uuid PRIMARY KEY, due timestamptz, since timestamptz, done boolean)");
    db
}

/// What is refused of a statement.
fn refused(db: &TestDatabase, volatility: &Volatility, statement: &str) -> Vec<&'static str> {
    let text =
        psql(db, &format!("SET debug_print_parse = on; SET debug_pretty_print = off; PREPARE it AS {statement}"));
    let trees = text.split("DETAIL:").filter(|tree| tree.contains(":commandType"));
    let changes = trees.filter(|tree| rules::CHANGES.iter().any(|command| tree.replace('\n', " ").contains(command)));
    changes.filter_map(Node::parse).flat_map(|tree| refusals(&tree, volatility)).collect()
}

#[tokio::test]
async fn what_citus_refuses_is_refused() {
    let db = database().await;
    let volatility = volatility(&db);
    let volatile = "a VOLATILE function in an UPDATE or a DELETE";
    let coalesce = "a function that is not IMMUTABLE in CASE or COALESCE";
    let column = "a STABLE function of a column";
    // As the services once were: retention, a claim, park, a redrive, the delays of several rows, a cancellation, a start.
    for (statement, refusal) in [
        (
            "WITH old AS (SELECT id FROM job WHERE due < clock_timestamp() FOR UPDATE) DELETE FROM job USING old WHERE job.id = old.id",
            volatile,
        ),
        ("UPDATE job SET due = clock_timestamp()", volatile),
        ("UPDATE job SET since = COALESCE(since, statement_timestamp())", coalesce),
        ("UPDATE job SET due = CASE WHEN due > statement_timestamp() THEN NULL ELSE due END", coalesce),
        (
            "UPDATE job SET due = statement_timestamp() + make_interval(secs => v.b) FROM (VALUES (1, 2.0), (2, 3.0)) AS v (a, b)",
            column,
        ),
        ("UPDATE job SET due = due + interval '1 millisecond'", column),
        ("UPDATE job SET done = true WHERE date_trunc('day', due) = since", column),
        (
            "INSERT INTO job (id, due) VALUES ($1, $2) RETURNING date_trunc('day', due)",
            "a function that is not IMMUTABLE in RETURNING",
        ),
        (
            "INSERT INTO job (id) SELECT id FROM unnest($1::uuid[]) AS row (id) WHERE (SELECT id FROM job WHERE id = row.id) IS NULL",
            "an INSERT of what its own SELECT reads from a table, outside WITH",
        ),
    ] {
        assert_eq!(refused(&db, &volatility, statement), [refusal], "{statement}");
    }
}

#[tokio::test]
async fn what_citus_takes_is_not_refused() {
    let db = database().await;
    let volatility = volatility(&db);
    for statement in [
        "UPDATE job SET due = statement_timestamp() + interval '1 s', since = LEAST(since, statement_timestamp())",
        "UPDATE job SET due = (due AT TIME ZONE 'UTC' + interval '1 s') AT TIME ZONE 'UTC'",
        "UPDATE job SET due = (statement_timestamp() AT TIME ZONE 'UTC' + make_interval(secs => v.b)) AT TIME ZONE 'UTC'
         FROM (VALUES (1, 2.0), (2, 3.0)) AS v (a, b)",
        "UPDATE job SET due = CASE WHEN done THEN since ELSE due END RETURNING COALESCE(due, since)",
        "INSERT INTO job (id, due) SELECT id, coalesce(NULL, statement_timestamp()) FROM unnest($1::uuid[]) AS row (id)",
        "WITH row AS (SELECT id FROM job WHERE done) INSERT INTO job (id) SELECT id FROM row ON CONFLICT DO NOTHING",
        "SELECT clock_timestamp() FROM job",
    ] {
        assert!(refused(&db, &volatility, statement).is_empty(), "{statement}");
    }
}

#[tokio::test]
async fn no_statement_of_the_services_is_one_that_citus_refuses() {
    let db = database().await;
    let volatility = volatility(&db);
    let statements =
        tokio::task::spawn_blocking(statements::of_the_tests).await.expect("no panic").expect("statements");
    assert!(statements.len() > FEWEST_STATEMENTS, "{} statements", statements.len());
    let of_services = statements.iter().filter(|(sql, _)| !sql.contains(FIRST_COUNT));
    let refused = of_services.flat_map(|(sql, tree)| {
        let refusals = refusals(tree, &volatility);
        refusals.into_iter().map(move |refusal| format!("{refusal}: {sql}"))
    });
    let refused: Vec<_> = refused.collect();
    assert!(refused.is_empty(), "Citus refuses\n{}", refused.join("\n"));
    eprintln!("{} statements that change tables", statements.len());
}
