//! Faults that fire the other alerts, all at once: a parked payment, a wrong password for finance, guessed passwords,
//! an issuer that does not answer, an old certificate, locked tables, a difference that reconciliation finds. Then a finance
//! that dies again and again, and at last the end of consultation.

use std::{net::Ipv4Addr, time::Duration};

use anyhow::ensure;
use sea_orm::{ConnectionTrait, TransactionTrait};
use serde_json::json;
use testkit::GraphqlClient;
use tokio::{
    task::JoinSet,
    time::{interval, sleep},
};

use crate::{
    load::{finish, finish_one, start_one},
    monitor::Monitor,
    stack::{Stack, VALID_UNTIL},
};

/// The longest `for`, 10 minutes divided by 20, and the alert's way.
const FIRES_WITHIN: Duration = Duration::from_secs(90);
/// The longest range, an hour divided by 20, has to be over for none: a short one ends each alert.
const ENDS_WITHIN: Duration = Duration::from_secs(90);
/// The year in which the old certificate ended.
const EXPIRED: u16 = 2020;
/// Clients of the locked table: more than there are connections.
const CLIENTS: usize = 12;
const RETRY_INTERVAL: Duration = Duration::from_millis(100);
/// Ten guesses a second, of which one a second is too many.
const GUESS_INTERVAL: Duration = Duration::from_millis(100);
/// An address of its own, so that only the guesser is throttled.
const GUESSER: Ipv4Addr = Ipv4Addr::new(127, 0, 0, 2);

/// One more than the alert needs.
const RESTARTS: usize = 4;
const FINANCE_UP: &str = "up{job=\"finance\"}";

/// Injects the faults, waits for their alerts, and cures what can be cured.
pub(crate) async fn check(stack: &mut Stack, monitor: &Monitor, say: impl Fn(&str)) -> anyhow::Result<()> {
    park_a_payment(stack, monitor).await?;
    stack.set_password_is_right(false);
    stack.certificate.renew(EXPIRED)?;
    finish_one(&stack.consultation().client).await;
    let mut clients = JoinSet::new();
    clients.spawn(guess_passwords(stack.consultation().client.base.clone()));
    let locked = stack.consultation_database.for_migrations().await.begin().await?;
    for _ in 0..CLIENTS {
        clients.spawn(keep_calling(stack.consultation().client.clone(), json!(uuid::Uuid::new_v4())));
    }
    locked.execute_unprepared("LOCK TABLE consultation IN ACCESS EXCLUSIVE MODE").await?;
    // Nobody cures these in time, or their ranges are too long.
    let lasting = [
        "PaymentParked",
        "ReconcileFoundDifferences",
        "SigningKeysOld",
        "FinishBudgetBurns",
        "FinishBudgetBurnsSlowly",
    ];
    let curable =
        ["FinanceMisconfigured", "LoginsRefused", "PoolExhausted", "FinishBudgetBurnsFast", "CertificateExpires"];
    monitor.until_firing(&[lasting.as_slice(), &curable].concat(), true, FIRES_WITHIN).await?;
    say(&format!("{}, {} fire", lasting.join(", "), curable.join(", ")));
    // Not before: it keeps the relay from calling finance.
    locked.execute_unprepared("LOCK TABLE pending_payment IN ACCESS EXCLUSIVE MODE").await?;
    monitor.until_firing(&["RelayStalled"], true, FIRES_WITHIN).await?;
    say("RelayStalled fires");

    locked.rollback().await?;
    clients.shutdown().await;
    stack.set_password_is_right(true);
    stack.certificate.renew(VALID_UNTIL)?;
    monitor.until_firing(&[curable.as_slice(), &["RelayStalled"]].concat(), false, ENDS_WITHIN).await?;
    say("those of wrong passwords, of the certificate and of locked tables are resolved");

    restart_finance(stack, monitor).await?;
    monitor.until_firing(&["RestartingOften"], true, FIRES_WITHIN).await?;
    say("finance is killed and started again and again: RestartingOften fires");

    stack.consultation.take();
    monitor.until_firing(&["NoRelay", "TargetDown"], true, FIRES_WITHIN).await?;
    say("consultation is stopped: NoRelay, TargetDown fire");
    Ok(())
}

/// Finance has another amount for a consultation before it is finished. Reconciliation finds that too.
async fn park_a_payment(stack: &Stack, monitor: &Monitor) -> anyhow::Result<()> {
    let client = &stack.consultation().client;
    let id = start_one(client).await;
    let record = "mutation ($id: UUID!) { recordPayment(input: { appointmentId: $id, totalPrice: \"1.00\" }) {
        payment { id } } }";
    stack.finance().client.call(record, json!({ "id": id })).await;
    finish(client, &id).await;
    monitor.until("outbox_payments{state=\"parked\"}", |parked| parked == Some(1.0), FIRES_WITHIN).await?;
    let file = monitor.textfiles.join("reconcile.prom").display().to_string();
    let reconciled = stack.subcommand("consultation", &["reconcile", "--textfile", &file]);
    ensure!(reconciled.status.code() == Some(1), "reconcile: {}", String::from_utf8_lossy(&reconciled.stderr));
    Ok(())
}

/// Prometheus has to see each start.
async fn restart_finance(stack: &mut Stack, monitor: &Monitor) -> anyhow::Result<()> {
    for _ in 0..RESTARTS {
        stack.finance.take();
        monitor.until(FINANCE_UP, |up| up == Some(0.0), FIRES_WITHIN).await?;
        stack.start_finance().await;
        monitor.until(FINANCE_UP, |up| up == Some(1.0), FIRES_WITHIN).await?;
    }
    Ok(())
}

async fn guess_passwords(base: String) {
    let http = chassis::http_client::builder().local_address(Some(GUESSER.into())).build().expect("a client");
    let mut guesses = interval(GUESS_INTERVAL);
    loop {
        guesses.tick().await;
        let request = http.post(format!("{base}/graphql")).basic_auth("admin", Some("guess"));
        let _ = request.header("content-type", "application/json").body("{}").send().await;
    }
}

/// Reads and finishes a consultation again and again: while the table is locked both fail.
async fn keep_calling(client: GraphqlClient, id: serde_json::Value) {
    loop {
        tokio::join!(finish(&client, &id), client.send("{ consultations { edges { node { id } } } }", json!({})));
        sleep(RETRY_INTERVAL).await;
    }
}
