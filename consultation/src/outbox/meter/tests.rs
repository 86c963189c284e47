use super::*;

fn value(metrics: &Metrics, series: &str) -> Option<f64> {
    let text = metrics.text();
    text.lines().find_map(|line| line.strip_prefix(series)?.strip_prefix(' ')?.parse().ok())
}

#[test]
fn the_relay_counts_from_its_start_and_the_backlog_from_its_first_count() {
    let (metrics, began) = (Metrics::new("service"), seconds(clock::now().timestamp_millis()));
    let meter = Meter::registered(&metrics);
    let last_round = value(&metrics, "outbox_relay_last_round_timestamp_seconds");
    assert!(last_round.is_some_and(|at| at >= began), "{last_round:?}");
    let age = || value(&metrics, "outbox_oldest_pending_age_seconds").expect("an age");
    assert!(age().is_nan());
    assert_eq!(value(&metrics, "outbox_payments{state=\"pending\"}"), None);

    // A database that is away from the start tells nothing.
    meter.no_backlog(Duration::from_secs(5));
    assert!(age().is_nan());
    meter.backlog(&Backlog { pending: 2, oldest_seconds: Some(40.0), ..Backlog::default() });
    assert!((age() - 40.0).abs() < 1e-9);
}

#[test]
fn what_waits_gets_older_while_the_database_is_away() {
    let metrics = Metrics::new("service");
    let meter = Meter::registered(&metrics);
    let age = || value(&metrics, "outbox_oldest_pending_age_seconds");
    meter.backlog(&Backlog { pending: 2, oldest_seconds: Some(40.0), ..Backlog::default() });
    meter.no_backlog(Duration::from_secs(5));
    meter.no_backlog(Duration::from_secs(6));
    assert_eq!((age(), value(&metrics, "outbox_payments{state=\"pending\"}")), (Some(51.0), Some(2.0)));
    meter.backlog(&Backlog::default());
    meter.no_backlog(Duration::from_secs(5));
    assert_eq!(age(), Some(0.0));
}
