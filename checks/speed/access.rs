//! Bearer tokens beside HTTP Basic, in turns on the same processes.

use serde_json::json;

use crate::{
    arguments::Arguments,
    figures::{Limit, thousands},
    load::{Load, Measured, WARM_UP},
    operation::Operation,
    prepared,
    report::Section,
    session::Numbers,
    stack::{Stack, delivered},
};

const CONNECTIONS: usize = 32;
/// Upper bound of finishes per second.
const MAX_FINISHES_PER_SECOND: u64 = 30_000;
/// No other subject uses these rows.
const FIRST_ROW: u64 = 1 << 42;
const ABOUT: &str = "Requests in a second with 32 connections, with a bearer token and with HTTP Basic, in turns.";
const COLUMNS: [&str; 7] = ["operation", "token", "p50", "p99", "Basic", "p50", "p99"];

/// A run with a token, and the run with HTTP Basic beside it.
struct Pair {
    token: Measured,
    basic: Measured,
}

impl Pair {
    fn ratio(&self) -> f64 {
        self.token.per_second / self.basic.per_second
    }
}

pub(crate) async fn run(stack: &Stack, arguments: &Arguments) -> anyhow::Result<Section> {
    let mut section = Section::new("access", ABOUT, &COLUMNS);
    let mut next_row = FIRST_ROW;
    for operation in [Operation::Start, Operation::Finish, Operation::Record] {
        let load = Load { operation, connections: CONNECTIONS, lasts: arguments.run() };
        let mut pairs = Vec::new();
        for _ in 0..arguments.rounds() {
            let token = measure(stack, load, Some(&stack.token.authorization), &mut next_row).await?;
            pairs.push(Pair { token, basic: measure(stack, load, None, &mut next_row).await? });
        }
        pairs.sort_by(|a, b| a.ratio().total_cmp(&b.ratio()));
        let ratios: Vec<_> = pairs.iter().map(Pair::ratio).collect();
        add(&mut section, operation, &pairs[pairs.len() / 2], &ratios);
    }
    Ok(section)
}

async fn measure(
    stack: &Stack,
    load: Load,
    authorization: Option<&str>,
    next_row: &mut u64,
) -> anyhow::Result<Measured> {
    let database = &stack.consultation_database;
    let first = *next_row;
    if load.operation == Operation::Finish {
        *next_row += MAX_FINISHES_PER_SECOND * ((load.lasts + WARM_UP).as_secs() + 1);
        prepared::in_progress(database, first..*next_row).await?;
        prepared::tidy(database).await?;
    }
    let numbers = Numbers::new(first..*next_row);
    stack.checkpoint().await?;
    let measured = match authorization {
        Some(authorization) => load.run_authorized_by(authorization, &stack.services, None, &numbers).await?,
        None => load.run(&stack.services, None, &numbers).await?,
    };
    delivered(database).await?;
    Ok(measured)
}

fn add(section: &mut Section, operation: Operation, pair: &Pair, ratios: &[f64]) {
    let name = operation.name();
    section.bar(format!("{name} with a token, of HTTP Basic"), pair.ratio(), Limit::AtLeast(0.97), " x");
    let cells =
        |run: &Measured| [format!("{}/s", thousands(run.per_second)), run.latencies.text(50), run.latencies.text(99)];
    section.row(&[&[name.to_owned()][..], &cells(&pair.token), &cells(&pair.basic)].concat());
    let figures = |run: &Measured| json!({ "per_second": run.per_second, "p50_p99_ms": run.latencies.p50_p99() });
    section.figures.push(json!({
        "operation": name, "connections": CONNECTIONS, "ratio": pair.ratio(), "ratios_of_rounds": ratios,
        "token": figures(&pair.token), "basic": figures(&pair.basic),
    }));
}
