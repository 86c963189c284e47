//! The services on SQLite, beside a plain loop of the same transactions on one connection in this process.

use std::fs;

use chassis::database::Database;
use serde_json::json;

use crate::{
    arguments::Arguments,
    figures::{Latencies, Limit, per_second, thousands},
    load::{Load, WARM_UP},
    operation::Operation,
    plain_loop::PlainLoop,
    prepared,
    report::Section,
    service::Services,
    session::Numbers,
    stack::{Stack, delivered},
};

const CONNECTIONS: usize = 32;
/// Upper bound of the service's and the loop's finishes per second.
const MAX_FINISHES_PER_SECOND: u64 = 20_000;
const ABOUT: &str = "SQLite (synchronous=FULL): requests in a second with 32 connections, beside a plain loop of the same \
                     transactions on one connection.";
const COLUMNS: [&str; 8] = ["operation", "service", "p50", "p99", "plain loop", "p50", "p99", "ratio"];

pub(crate) async fn run(stack: &Stack, arguments: &Arguments) -> anyhow::Result<Section> {
    let mut section = Section::new("sqlite", ABOUT, &COLUMNS);
    let directory = stack.cluster.directory.join("sqlite");
    fs::create_dir_all(&directory)?;
    let url = |name: &str| format!("sqlite://{}/{name}.sqlite", directory.display());
    let mut services = Services::new(&arguments.programs()?, url, &directory);
    services.start().await?;
    services.migrate(Some(&url("plain")))?;
    let consultation = Database::connect(&url("consultation").into()).await?.write;
    let plain = Database::connect(&url("plain").into()).await?.write;
    let mut plain_loop = PlainLoop::connect(&directory.join("plain.sqlite")).await?;
    let lasts = arguments.run();
    for operation in [Operation::Start, Operation::Finish, Operation::Record] {
        let count = MAX_FINISHES_PER_SECOND * ((lasts + WARM_UP).as_secs() + 1);
        let rows = if operation == Operation::Finish { 1..count } else { 1..1 };
        for database in [&consultation, &plain] {
            prepared::in_progress(database, rows.clone()).await?;
        }
        let load = Load { operation, connections: CONNECTIONS, lasts };
        let service = load.run(&services, None, &Numbers::new(rows.clone())).await?;
        delivered(&consultation).await?;
        let times = plain_loop.run(operation, rows, lasts).await?;
        let plain = per_second(times.count(), lasts);
        add(&mut section, operation, (service.per_second, &service.latencies), (plain, &times));
    }
    Ok(section)
}

fn add(section: &mut Section, operation: Operation, service: (f64, &Latencies), plain: (f64, &Latencies)) {
    let (name, ratio) = (operation.name(), service.0 / plain.0);
    let promise = format!("{name} on SQLite, {CONNECTIONS} connections, of a plain loop");
    let verdict = section.bar(promise, ratio, Limit::AtLeast(2.0), " x");
    let cells = |(rate, times): (f64, &Latencies)| [format!("{}/s", thousands(rate)), times.text(50), times.text(99)];
    let [service_cells, plain_cells] = [service, plain].map(cells);
    section.row(&[&[name.to_owned()][..], &service_cells, &plain_cells, &[format!("{ratio:.2} {verdict}")]].concat());
    let figures = |(rate, times): (f64, &Latencies)| json!({ "per_second": rate, "p50_p99_ms": times.p50_p99() });
    section.figures.push(json!({
        "operation": name, "connections": CONNECTIONS, "ratio": ratio,
        "service": figures(service), "plain_loop": figures(plain),
    }));
}
