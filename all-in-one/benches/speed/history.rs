//! What operations cost beside a history of finished consultations.

use std::{
    fs,
    ops::Range,
    time::{Duration, Instant},
};

use anyhow::ensure;
use chassis::database::Database;
use consultation::outbox::store::{self, Due};
use sea_orm::DatabaseConnection;
use serde_json::json;
use uuid::Uuid;

use crate::{
    arguments::Arguments,
    figures::{Latencies, thousands},
    http::Connection,
    operation::{self, Call},
    plot::Chart,
    prepared,
    report::Section,
    service::Services,
    session::exchange,
    stack::{Stack, connect, delivered, url},
};

const CLAIMED: u64 = 100;
const LEASE: Duration = Duration::from_secs(30);
/// Above the history's rows, so that they are the newest.
const FIRST_ROW: u64 = 1 << 43;
const ABOUT: &str = "Beside finished and delivered consultations: p50 of a claim of 100 payments, and of requests one \
                     after the other; in brackets the ratio to none.";
const COLUMNS: [&str; 6] = ["finished before", "claim", "finish", "look up", "20 newest", "20 oldest"];

pub(crate) async fn run(stack: &Stack, arguments: &Arguments) -> anyhow::Result<Section> {
    let mut section = Section::new("history", ABOUT, &COLUMNS);
    let url = url(stack.port, "history");
    let directory = stack.cluster.directory.join("history");
    fs::create_dir_all(&directory)?;
    let mut services = Services::new(&arguments.programs()?, |_| url.clone(), &directory);
    services.migrate(None)?;
    let database = connect(&url).await?;
    let (mut stored, mut row, mut measured) = (0, FIRST_ROW, Vec::new());
    for size in arguments.histories() {
        prepared::finished(&database, stored..size, true).await?;
        stored = size;
        let rounds = arguments.requests();
        let pool = Database::connect(&url.clone().into()).await?;
        let in_progress = row..row + rounds;
        row = in_progress.end;
        prepared::in_progress(&database, in_progress.clone()).await?;
        // Unmeasured: the planner must know a table that is not empty.
        claims(&database, &pool, &mut row, rounds / 10).await?;
        prepared::tidy(&database).await?;
        let claims = claims(&database, &pool, &mut row, rounds / 4).await?;
        services.start().await?;
        let requests = requests(&services, in_progress).await?;
        delivered(&database).await?;
        for service in [&mut services.consultation, &mut services.finance] {
            service.stop()?;
        }
        let times: Vec<_> = [claims].into_iter().chain(requests).collect();
        measured.push(times);
        add(&mut section, size, &measured[measured.len() - 1], &measured[0]);
    }
    section.charts = vec![chart(&arguments.histories(), &measured)];
    Ok(section)
}

/// No relay runs meanwhile.
async fn claims(
    writer: &DatabaseConnection,
    database: &Database,
    row: &mut u64,
    rounds: u64,
) -> anyhow::Result<Latencies> {
    let mut times = Vec::new();
    for _ in 0..rounds {
        prepared::finished(writer, *row..*row + CLAIMED, false).await?;
        *row += CLAIMED;
        let begin = Instant::now();
        let leases = store::claim(&database.write, Due::All, CLAIMED, LEASE).await?;
        times.push(begin.elapsed());
        ensure!(u64::try_from(leases.len())? == CLAIMED, "{} were claimed", leases.len());
        store::confirm(&database.write, &leases.iter().collect::<Vec<_>>()).await?;
    }
    Ok(times.into_iter().collect())
}

/// On one connection, the operations in turns: finish, look up, the newest, the oldest.
async fn requests(services: &Services, rows: Range<u64>) -> anyhow::Result<[Latencies; 4]> {
    let mut connection = Connection::open(services.consultation.port).await?;
    let mut calls = [operation::finish(), operation::look_up(), operation::page(true), operation::page(false)];
    let mut times = [(); 4].map(|()| Vec::new());
    for number in rows {
        for call in &mut calls[..2] {
            call.request.fill(0, Uuid::from_u128(number.into()));
        }
        for (call, times) in calls.iter().zip(&mut times) {
            times.push(timed(&mut connection, call).await?);
        }
    }
    Ok(times.map(|times| times.into_iter().collect()))
}

async fn timed(connection: &mut Connection, call: &Call) -> anyhow::Result<Duration> {
    let begin = Instant::now();
    exchange(connection, call).await?;
    Ok(begin.elapsed())
}

fn add(section: &mut Section, size: u64, times: &[Latencies], none: &[Latencies]) {
    let p50: Vec<_> = times.iter().map(|times| times.percentile(50)).collect();
    let ratios: Vec<_> = p50.iter().zip(none).map(|(time, none)| time / none.percentile(50)).collect();
    let cells = times.iter().zip(&ratios).map(|(times, ratio)| format!("{} ({ratio:.2})", times.text(50)));
    let size_cell = u32::try_from(size).map_or_else(|_| size.to_string(), |size| thousands(size.into()));
    section.row(&[size_cell].into_iter().chain(cells).collect::<Vec<_>>());
    section.figures.push(json!({
        "finished": size, "operations": &COLUMNS[1..], "p50_ms": p50, "ratios_to_none": ratios,
    }));
}

fn chart(sizes: &[u64], measured: &[Vec<Latencies>]) -> Chart {
    let line = |(index, name): (usize, &&str)| {
        ((*name).to_owned(), measured.iter().map(|times| times[index].percentile(50)).collect())
    };
    Chart {
        title: "p50 in ms beside a history".to_owned(),
        places: sizes.iter().map(|size| format!("{} million", size / 1_000_000)).collect(),
        across: "finished consultations",
        lines: COLUMNS[1..].iter().enumerate().map(line).collect(),
    }
}
