//! Latency from finish to confirmation, at fixed rates of finishes.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
    time::Duration,
};

use anyhow::ensure;
use sea_orm::{ConnectionTrait, Statement};
use serde_json::json;
use tokio::{
    task::JoinSet,
    time::{Instant, sleep_until},
};

use crate::{
    arguments::Arguments,
    figures::{Latencies, Limit, milliseconds},
    operation::Operation,
    prepared,
    report::Section,
    session::{Numbers, Session},
    stack::{Stack, delivered, text},
};

const RATES: [u32; 3] = [50, 200, 500];
/// Factor of the duration of other measurements.
const LONGER: u32 = 2;
/// Enough that a finish never waits for a connection.
const CONNECTIONS: usize = 32;
/// No other subject uses these rows.
const FIRST_ROW: u64 = 1 << 41;
const ABOUT: &str = "From finish to confirmed, finishes coming at a fixed rate: from the database's time in the finishing \
                     transaction to that of the confirmation, which is later than finance's commit.";
const COLUMNS: [&str; 5] = ["finishes in a second", "finish answered, p50", "p99", "confirmed, p50", "p99"];
/// Seconds from creation to confirmation; the parameter is the begin of the run.
const CONFIRMED: &str = "SELECT extract(epoch FROM finished_at - created_at)::float8
    FROM pending_payment WHERE created_at >= $1::text::timestamptz";

pub(crate) async fn run(stack: &Stack, arguments: &Arguments) -> anyhow::Result<Section> {
    let mut section = Section::new("delivery", ABOUT, &COLUMNS);
    let (database, mut row) = (&stack.consultation_database, FIRST_ROW);
    for rate in RATES {
        let lasts = arguments.run() * LONGER;
        let count = rate * u32::try_from(lasts.as_secs())?;
        let rows = row..row + u64::from(count);
        row = rows.end;
        prepared::in_progress(database, rows.clone()).await?;
        stack.checkpoint().await?;
        let begin = text(database, "SELECT clock_timestamp()::text").await?;
        let answered = open_loop(stack, rate, count, &Numbers::new(rows)).await?;
        delivered(database).await?;
        let confirmed = confirmed(database, begin).await?;
        ensure!(
            confirmed.count() == usize::try_from(count)?,
            "{} were confirmed instead of {count}",
            confirmed.count()
        );
        add(&mut section, rate, &answered, &confirmed);
    }
    Ok(section)
}

/// An open loop: finishes come at a fixed rate, however long others take. Latencies count from the due time.
async fn open_loop(stack: &Stack, rate: u32, count: u32, numbers: &Arc<Numbers>) -> anyhow::Result<Latencies> {
    let (next, port) = (Arc::new(AtomicU32::new(0)), stack.services.consultation.port);
    let mut clients = JoinSet::new();
    let begin = Instant::now() + Duration::from_millis(100);
    for _ in 0..CONNECTIONS {
        let mut session = Session::open(port, Operation::Finish, numbers.clone()).await?;
        let next = next.clone();
        clients.spawn(async move {
            let mut times = Vec::new();
            loop {
                let number = next.fetch_add(1, Ordering::Relaxed);
                if number >= count {
                    return anyhow::Ok(times);
                }
                let due = begin + Duration::from_secs(1) * number / rate;
                sleep_until(due).await;
                session.step().await?;
                times.push(due.elapsed());
            }
        });
    }
    let mut times = Vec::new();
    while let Some(client) = clients.join_next().await {
        times.extend(client??);
    }
    Ok(times.into_iter().collect())
}

async fn confirmed(database: &impl ConnectionTrait, begin: String) -> anyhow::Result<Latencies> {
    let backend = database.get_database_backend();
    let rows = database.query_all_raw(Statement::from_sql_and_values(backend, CONFIRMED, [begin.into()])).await?;
    let seconds = rows.iter().map(|row| row.try_get_by_index::<f64>(0));
    Ok(seconds
        .map(|seconds| seconds.map(Duration::from_secs_f64))
        .collect::<Result<Vec<_>, _>>()?
        .into_iter()
        .collect())
}

fn add(section: &mut Section, rate: u32, answered: &Latencies, confirmed: &Latencies) {
    let [p50, p99] = confirmed.p50_p99();
    let mut verdicts = ["", ""];
    if rate == 200 {
        let name = |percent: &str| format!("finish to confirmed at {rate}/s, {percent}");
        verdicts = [
            section.bar(name("p50"), p50, Limit::AtMost(15.0), " ms"),
            section.bar(name("p99"), p99, Limit::AtMost(100.0), " ms"),
        ];
    }
    let [p50, p99] = [(p50, verdicts[0]), (p99, verdicts[1])]
        .map(|(time, verdict)| format!("{} {verdict}", milliseconds(time)).trim().to_owned());
    section.row(&[format!("{rate}/s"), answered.text(50), answered.text(99), p50, p99]);
    section.figures.push(json!({
        "finishes_per_second": rate,
        "answered_p50_p99_ms": answered.p50_p99(), "confirmed_p50_p99_ms": confirmed.p50_p99(),
    }));
}
