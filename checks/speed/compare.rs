//! The services beside pgbench, in turns, so that other load of the machine affects both.

use std::{ops::Range, time::Duration};

use anyhow::ensure;
use serde_json::json;

use crate::{
    arguments::Arguments,
    figures::{Limit, thousands},
    load::{Load, Measured, WARM_UP},
    operation::Operation,
    pgbench::{Bench, Plain},
    plot::Chart,
    prepared,
    report::Section,
    session::Numbers,
    stack::{Stack, delivered, number},
};

/// Upper bounds of finishes per second, with one connection and with many.
const MAX_FINISHES_PER_SECOND: [u64; 2] = [4_000, 30_000];
const MAX_PLAIN_FINISHES_PER_SECOND: [u64; 2] = [4_000, 15_000];
const COLUMNS: [&str; 11] = [
    "operation",
    "connections",
    "service",
    "p50",
    "p99",
    "pgbench",
    "p50",
    "p99",
    "ratio",
    "CPU of consultation, finance, PostgreSQL, client",
    "RSS of consultation, finance",
];

/// One service run and the pgbench run beside it.
struct Pair {
    service: Measured,
    plain: Plain,
    ratio: f64,
}

/// Ids of prepared consultations in progress, in both databases.
struct Prepared {
    service: Range<u64>,
    plain: Range<u64>,
}

pub(crate) async fn run(stack: &Stack, arguments: &Arguments, operation: Operation) -> anyhow::Result<Section> {
    let about = format!("{}: requests in a second, beside pgbench's.", operation.name());
    let mut section = Section::new(operation.name(), &about, &COLUMNS);
    let mut prepared = Prepared { service: 1..1, plain: 1..1 };
    let mut shown = Vec::new();
    for &connections in &arguments.connections {
        let mut pairs = Vec::new();
        for _ in 0..arguments.rounds() {
            pairs.push(pair(stack, operation, connections, arguments.run(), &mut prepared).await?);
        }
        pairs.sort_by(|a, b| a.ratio.total_cmp(&b.ratio));
        let ratios: Vec<_> = pairs.iter().map(|pair| pair.ratio).collect();
        let pair = pairs.swap_remove(pairs.len() / 2);
        add(&mut section, operation, connections, &pair, &ratios);
        shown.push(pair);
    }
    section.charts = charts(operation, &arguments.connections, &shown);
    Ok(section)
}

async fn pair(
    stack: &Stack,
    operation: Operation,
    connections: usize,
    lasts: Duration,
    prepared: &mut Prepared,
) -> anyhow::Result<Pair> {
    if operation == Operation::Finish {
        let (many, seconds) = (usize::from(connections > 1), (lasts + WARM_UP).as_secs() + 1);
        prepared::fill_up(&stack.consultation_database, &mut prepared.service, MAX_FINISHES_PER_SECOND[many] * seconds)
            .await?;
        prepared::fill_up(&stack.plain_database, &mut prepared.plain, MAX_PLAIN_FINISHES_PER_SECOND[many] * seconds)
            .await?;
    }
    let load = Load { operation, connections, lasts };
    let numbers = Numbers::new(prepared.service.clone());
    stack.checkpoint().await?;
    let service = load.run(&stack.services, Some(stack.postmaster()?), &numbers).await?;
    prepared.service.start = numbers.rest();
    delivered(&stack.consultation_database).await?;

    stack.checkpoint().await?;
    let finished = "SELECT count(*) FROM pending_payment";
    let before = number(&stack.plain_database, finished).await?;
    let plain = Bench { operation, clients: connections, lasts, from: prepared.plain.start }.run(stack)?;
    if operation == Operation::Finish {
        let after = number(&stack.plain_database, finished).await?;
        ensure!((after - before).unsigned_abs() == plain.transactions, "pgbench finished {after} - {before}");
        // Its clients do not advance evenly: the rest is not used again.
        prepared.plain.start = prepared.plain.end;
    }
    let scripts = service.per_second / f64::from(operation.requests());
    let ratio = scripts / plain.per_second;
    Ok(Pair { service, plain, ratio })
}

fn add(section: &mut Section, operation: Operation, connections: usize, pair: &Pair, ratios: &[f64]) {
    let Pair { service, plain, ratio } = pair;
    let name = operation.name();
    let bar = match (operation, connections) {
        (Operation::Mixed, _) => None,
        (_, 1) => Some(0.5),
        (_, 32) => Some(1.25),
        _ => None,
    };
    let promise = format!("{name}, {connections} connections, of pgbench");
    let verdict = bar.map(|least| section.bar(promise, *ratio, Limit::AtLeast(least), " x")).unwrap_or_default();
    let used = &service.used;
    if connections == 128 {
        let (service, rss) = match operation {
            Operation::Record => ("finance", used.finance_rss),
            _ => ("consultation", used.consultation_rss),
        };
        section.bar(format!("RSS of {service}, {name}, 128 connections"), rss, Limit::AtMost(80.0), " MB");
    }
    let plain_requests = plain.per_second * f64::from(operation.requests());
    section.row(&[
        name.to_owned(),
        connections.to_string(),
        format!("{}/s", thousands(service.per_second)),
        service.latencies.text(50),
        service.latencies.text(99),
        format!("{}/s", thousands(plain_requests)),
        plain.latencies.text(50),
        plain.latencies.text(99),
        format!("{ratio:.2} {verdict}").trim().to_owned(),
        format!("{:.1}, {:.1}, {:.1}, {:.1} s", used.consultation, used.finance, used.postgres, used.client),
        format!("{:.0}, {:.0} MB", used.consultation_rss, used.finance_rss),
    ]);
    section.figures.push(json!({
        "operation": name, "connections": connections, "ratio": ratio, "ratios_of_rounds": ratios,
        "service": {
            "per_second": service.per_second, "p50_p99_ms": service.latencies.p50_p99(),
            "cpu_seconds": {
                "consultation": used.consultation, "finance": used.finance, "postgresql": used.postgres,
                "client": used.client,
            },
            "rss_mb": { "consultation": used.consultation_rss, "finance": used.finance_rss },
        },
        "pgbench": { "per_second": plain_requests, "p50_p99_ms": plain.latencies.p50_p99() },
    }));
}

/// A line of a chart: its name, and its value for a pair.
type Line<'a> = (&'a str, &'a dyn Fn(&Pair) -> f64);

fn charts(operation: Operation, connections: &[usize], pairs: &[Pair]) -> Vec<Chart> {
    let name = operation.name();
    let chart = |what: &str, lines: [Line<'_>; 2]| Chart {
        title: format!("{name}: {what}"),
        places: connections.iter().map(usize::to_string).collect(),
        across: "connections",
        lines: lines.map(|(line, value)| (line.to_owned(), pairs.iter().map(value).collect())).into(),
    };
    let requests = f64::from(operation.requests());
    let rates = chart(
        "requests in a second",
        [("service", &|pair| pair.service.per_second), ("pgbench", &|pair| pair.plain.per_second * requests)],
    );
    let latency = |percent| {
        chart(
            &format!("p{percent} in ms"),
            [
                ("service", &move |pair| pair.service.latencies.percentile(percent)),
                ("pgbench", &move |pair| pair.plain.latencies.percentile(percent)),
            ],
        )
    };
    // A script of several statements is not one request: its times are not comparable.
    if operation == Operation::Mixed { vec![rates] } else { vec![rates, latency(50), latency(99)] }
}
