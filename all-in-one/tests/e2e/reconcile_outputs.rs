//! `consultation reconcile` for programs: JSON, and a file for Prometheus.

use std::{fs, os::unix::fs::PermissionsExt, path::Path};

use rstest::rstest;
use testkit::Backend;

use crate::{
    cluster::Cluster,
    delivery::all_arrive,
    reconcile::{execute, lift_protection},
};

/// Exit code and standard output.
fn reconcile(cluster: &Cluster, textfile: &Path) -> (Option<i32>, String) {
    let output = cluster.run(&["reconcile", "--json", "--textfile", textfile.to_str().expect("a text")]);
    (output.status.code(), String::from_utf8(output.stdout).expect("a text"))
}

/// The samples of the file, without the time, which is checked.
fn samples(textfile: &Path) -> Vec<String> {
    let text = fs::read_to_string(textfile).expect("a file");
    let samples = text.lines().filter(|line| !line.starts_with("# ")).map(str::to_owned);
    let (times, counts): (Vec<_>, Vec<_>) = samples.partition(|sample| sample.contains("timestamp"));
    let [time] = &times[..] else { panic!("{text}") };
    let time = time.strip_prefix("reconcile_last_run_timestamp_seconds ").expect("its name").parse::<i64>();
    assert!((0..600).contains(&(chassis::clock::now().timestamp() - time.expect("a number"))), "{text}");
    counts
}

fn counts(differences: u32) -> [String; 4] {
    let counts = [("differences", differences), ("overdue", 0), ("settled", 0), ("known", 0)];
    counts.map(|(name, count)| format!("reconcile_{name} {count}"))
}

#[rstest]
#[tokio::test]
async fn programs_read_the_comparison_as_json_and_as_metrics(
    #[values(Backend::Sqlite, Backend::Postgres)] backend: Backend,
) {
    let Some(mut cluster) = Cluster::start(backend).await else { return };
    let directory = tempfile::tempdir().expect("a directory");
    let textfile = directory.path().join("reconcile.prom");
    let (id, _) = cluster.finish_one().await;
    all_arrive(&cluster, 1).await;
    let summary = |payments: u32, differences: u32| {
        format!(
            "{{\"code\":\"SUMMARY\",\"consultations\":1,\"payments\":{payments},\"inTransit\":0,\"overdue\":0,\"differences\":{differences},\"settled\":0,\"known\":0,\"sentAgain\":0,\"adopted\":0}}\n"
        )
    };
    assert_eq!(reconcile(&cluster, &textfile), (Some(0), summary(1, 0)));
    assert_eq!(samples(&textfile), counts(0));

    lift_protection(backend, cluster.finance_db()).await;
    execute(cluster.finance_db(), "DELETE FROM payment").await;
    let missing = format!("{{\"code\":\"MISSING_PAYMENT\",\"consultationId\":\"{id}\",\"price\":\"200.00\"}}\n");
    assert_eq!(reconcile(&cluster, &textfile), (Some(1), missing + &summary(0, 1)));
    assert_eq!(samples(&textfile), counts(1));
    let mode = fs::metadata(&textfile).expect("a file").permissions().mode();
    assert_eq!((mode & 0o777, fs::read_dir(&directory).expect("a directory").count()), (0o644, 1));

    let nowhere = cluster.run(&["reconcile", "--textfile", "/nowhere/reconcile.prom"]);
    let error = String::from_utf8(nowhere.stderr).expect("a text");
    assert_eq!(nowhere.status.code(), Some(2), "{error}");
    assert!(error.contains("--textfile: cannot write /nowhere/reconcile.prom"), "{error}");

    let before = fs::read(&textfile).expect("a file");
    cluster.kill_finance().await;
    assert_eq!(reconcile(&cluster, &textfile), (Some(2), String::new()));
    assert_eq!(fs::read(&textfile).expect("a file"), before, "an incomplete comparison is none");
}
