//! An outage of finance: what the metrics show, and the alert on late payments from its firing to its end.

use std::time::Duration;

use anyhow::ensure;
use reqwest::Method;
use tokio::time::{Instant, sleep_until};

use crate::{load::finish_one, monitor::Monitor, profile::Profile, stack::Stack};

/// Consultations that are finished meanwhile: as many failures open the breaker.
const FINISHES: u32 = 6;
const WAITING: &str = "sum(outbox_payments{state=~\"pending|processing\"})";
const CONFIRMED: &str = "sum(outbox_outcomes_total{outcome=\"confirmed\"})";
/// The length of the outage with the times that are shipped.
const FULL_LENGTH: Duration = Duration::from_mins(3);
/// The count of the backlog each 5 s, a scrape, and an evaluation of the rules.
const SHOWN_WITHIN: Duration = Duration::from_secs(45);

/// Stops finance until the alerts have fired, starts it again, and waits until they are over.
pub(crate) async fn check(
    stack: &mut Stack,
    monitor: &Monitor,
    profile: Profile,
    say: impl Fn(&str),
) -> anyhow::Result<()> {
    let confirmed = monitor.query(CONFIRMED).await?.into_iter().sum::<f64>();
    let began = Instant::now();
    stack.finance.take();
    for _ in 0..FINISHES {
        finish_one(&stack.consultation().client).await;
    }
    shown_while_down(monitor).await?;
    console_says(stack, "Finance is failing").await?;
    say("finance is stopped: console tells it, breaker open, payments pending, their age grows, tries are postponed");

    let (late, down, none) = ("PaymentsNotDelivered", "FinanceDown", "NoFinance");
    monitor.until_firing(&[late], true, FULL_LENGTH).await?;
    say(&format!(
        "{late} fires in Prometheus and Alertmanager, {:.0} s after finance was stopped",
        began.elapsed().as_secs_f64()
    ));
    if profile == Profile::Full {
        sleep_until(began + FULL_LENGTH).await;
    } else {
        monitor.until_firing(&[down, none], true, SHOWN_WITHIN).await?;
        say(&format!("{down}, {none} fire too"));
    }

    let back = Instant::now();
    stack.start_finance().await;
    monitor.until(CONFIRMED, is(confirmed + f64::from(FINISHES)), SHOWN_WITHIN).await?;
    for gauge in [WAITING, "outbox_oldest_pending_age_seconds", "outbox_breaker_open", "outbox_requests_in_flight"] {
        monitor.until(gauge, is(0.0), SHOWN_WITHIN).await?;
    }
    console_says(stack, "All payments are delivered").await?;
    say("finance is back: each payment is confirmed, as the console says, and all metrics are where they were");
    monitor.until_firing(&[late, down, none], false, SHOWN_WITHIN).await?;
    say(&format!(
        "{late} is resolved in Prometheus and Alertmanager, {:.0} s after finance was back",
        back.elapsed().as_secs_f64()
    ));
    Ok(())
}

async fn console_says(stack: &Stack, state: &str) -> anyhow::Result<()> {
    let page = stack.consultation().client.request(Method::GET, "/console").send().await?.text().await?;
    ensure!(page.contains(state), "the console does not say {state}: {page}");
    Ok(())
}

async fn shown_while_down(monitor: &Monitor) -> anyhow::Result<()> {
    let conditions = [
        "outbox_breaker_open == 1",
        "outbox_oldest_pending_age_seconds > 1",
        "outbox_outcomes_total{outcome=\"postponed\"} >= 5",
        "sum(http_client_request_duration_seconds_count{error_type=\"connect\"}) >= 5",
    ];
    for condition in conditions {
        monitor.until(condition, |value| value.is_some(), SHOWN_WITHIN).await?;
    }
    monitor.until(WAITING, is(f64::from(FINISHES)), SHOWN_WITHIN).await
}

fn is(expected: f64) -> impl Fn(Option<f64>) -> bool {
    move |value| value == Some(expected)
}
