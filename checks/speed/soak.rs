//! Hours at half load: latency, memory and the space of a row must not grow with time.

mod point;

use std::{
    mem,
    sync::{
        Arc, Mutex,
        atomic::{AtomicU32, Ordering},
    },
    time::Duration,
};

use tokio::{
    task::JoinSet,
    time::{Instant, sleep_until},
};

use crate::{
    arguments::Arguments,
    figures::{Latencies, Limit},
    load::Load,
    operation::Operation,
    report::Section,
    session::{Numbers, Session},
    stack::{Stack, delivered, real},
    usage::Usage,
};

use point::Point;

const CONNECTIONS: usize = 32;
/// Number of measurements, at equal distances.
const POINTS: u32 = 24;
const ABOUT: &str = "A consultation's day (start, look-up, a page of the newest 20, finish and delivery) at half of the rate that \
                     the machine takes. Times count from the moment at which a request was due.";
const COLUMNS: [&str; 9] = [
    "after",
    "days",
    "p50",
    "p99",
    "RSS of consultation, finance",
    "CPU of consultation, finance, PostgreSQL a finish",
    "tables a consultation",
    "indexes",
    "dead rows",
];
const WAL: &str = "SELECT pg_wal_lsn_diff(pg_current_wal_lsn(), '0/0')::float8";

pub(crate) async fn run(stack: &Stack, arguments: &Arguments) -> anyhow::Result<Section> {
    let mut section = Section::new("soak", ABOUT, &COLUMNS);
    let operation = Operation::Mixed;
    let full = Load { operation, connections: CONNECTIONS, lasts: arguments.run() };
    let postmaster = Some(stack.postmaster()?);
    let full = full.run(&stack.services, postmaster, &Numbers::new(0..0)).await?.per_second;
    let interval = Duration::from_secs_f64(2.0 / full);
    delivered(&stack.consultation_database).await?;
    stack.checkpoint().await?;

    let (took, begin) = (Arc::new(Mutex::new(Vec::new())), Instant::now());
    let end = begin + arguments.soak();
    let clients = clients(stack, interval, begin, end, &took).await?;
    let (mut before, mut points) = (Usage::now(&stack.services, postmaster)?, Vec::new());
    let first_wal = real(&stack.consultation_database, WAL).await?;
    for place in 1..=POINTS {
        sleep_until(begin + arguments.soak() * place / POINTS).await;
        let now = Usage::now(&stack.services, postmaster)?;
        let latencies: Latencies = mem::take(&mut *took.lock().expect("no panic")).into_iter().collect();
        let point = Point::at(stack, begin.elapsed(), latencies, now.since(&before)).await?;
        point.add_to(&mut section);
        points.push(point);
        before = now;
    }
    for client in clients.join_all().await {
        client?;
    }
    delivered(&stack.consultation_database).await?;
    let wal = real(&stack.consultation_database, WAL).await? - first_wal;
    summarize(&mut section, &points, wal);
    Ok(section)
}

/// An open loop of requests at a fixed rate, however long others take.
async fn clients(
    stack: &Stack,
    interval: Duration,
    begin: Instant,
    end: Instant,
    took: &Arc<Mutex<Vec<Duration>>>,
) -> anyhow::Result<JoinSet<anyhow::Result<()>>> {
    let (next, mut clients) = (Arc::new(AtomicU32::new(0)), JoinSet::new());
    for _ in 0..CONNECTIONS {
        let mut session = Session::open(stack.services.consultation.port, Operation::Mixed, Numbers::new(0..0)).await?;
        let (next, took) = (next.clone(), took.clone());
        clients.spawn(async move {
            loop {
                let due = begin + interval * next.fetch_add(1, Ordering::Relaxed);
                if due >= end {
                    return Ok(());
                }
                sleep_until(due).await;
                session.step().await?;
                took.lock().expect("no panic").push(due.elapsed());
            }
        });
    }
    Ok(clients)
}

/// Bars about the last quarter beside the second: the first fills caches.
fn summarize(section: &mut Section, points: &[Point], wal: f64) {
    let quarter = points.len() / 4;
    let grown = |value: &dyn Fn(&Point) -> f64| {
        let mean = |points: &[Point]| points.iter().map(value).sum::<f64>();
        mean(&points[points.len() - quarter..]) / mean(&points[quarter..quarter * 2])
    };
    let finishes: f64 = points.iter().map(|point| point.finishes).sum();
    section.row(&["WAL a consultation".to_owned(), format!("{:.0} B", wal / finishes)]);
    let bars: [(&str, f64, f64); 5] = [
        ("p99", grown(&|point| point.latencies.percentile(99)), 1.5),
        ("RSS of consultation", grown(&|point| point.used.consultation_rss), 1.1),
        ("RSS of finance", grown(&|point| point.used.finance_rss), 1.1),
        ("tables a consultation", grown(&|point| point.table_bytes), 1.1),
        ("indexes a consultation", grown(&|point| point.index_bytes), 1.1),
    ];
    for (name, value, most) in bars {
        section.bar(format!("soak: {name}, last quarter beside the second"), value, Limit::AtMost(most), " x");
    }
    section.charts = point::charts(points);
}
