//! The cost of operations beside a history of finished consultations.

use std::{
    fs,
    time::{Duration, Instant},
};

use anyhow::ensure;
use chassis::database::Database;
use consultation::outbox::store::{self, Due};
use sea_orm::{ConnectionTrait, DatabaseConnection};
use serde_json::json;
use uuid::Uuid;

use crate::{
    arguments::Arguments,
    figures::{Latencies, Limit, thousands},
    http::Connection,
    operation,
    plot::Chart,
    prepared,
    report::Section,
    service::Services,
    session::exchange,
    stack::{Stack, connect, delivered, url},
};

const CLAIMED: u64 = 100;
const LEASE: Duration = Duration::from_secs(30);
/// Ids above the history's, so that these rows are the newest.
const FIRST_CLAIMED: u64 = 1 << 43;
const FIRST_IN_PROGRESS: u64 = 1 << 44;
const IN_PROGRESS: u64 = 100;
/// One of the hundred of the history.
const PHYSICIAN: Uuid = Uuid::from_u128(7);
const ABOUT: &str = "Beside finished and delivered consultations: p50 of a claim of 100 payments, and of requests one \
                     after the other; in brackets the ratio to none.";
const COLUMNS: [&str; 11] = [
    "finished before",
    "claim",
    "finish",
    "look up",
    "20 newest",
    "20 oldest",
    "20 in progress",
    "totals",
    "20 ended last",
    "20 ended last of a physician",
    "20 newest payments",
];

pub(crate) async fn run(stack: &Stack, arguments: &Arguments) -> anyhow::Result<Section> {
    let mut section = Section::new("history", ABOUT, &COLUMNS);
    let mut clinics = Vec::new();
    for size in arguments.histories() {
        clinics.push(Clinic::open(stack, arguments, size).await?);
    }
    for round in 0..arguments.requests() {
        // In turns, so that other load of the machine affects all alike.
        for clinic in &mut clinics {
            clinic.requests(round).await?;
        }
    }
    for clinic in &mut clinics {
        clinic.close().await?;
    }
    for round in 0..arguments.requests() / 4 {
        for clinic in &mut clinics {
            clinic.claim(round).await?;
        }
    }
    let measured: Vec<Vec<Latencies>> = clinics.into_iter().map(Clinic::latencies).collect();
    for (size, times) in arguments.histories().into_iter().zip(&measured) {
        add(&mut section, size, times, &measured[0]);
    }
    section.charts = vec![chart(&arguments.histories(), &measured)];
    Ok(section)
}

/// Both services on a database with a history.
struct Clinic {
    database: DatabaseConnection,
    pool: Database,
    services: Services,
    /// Times in the order of the columns.
    times: [Vec<Duration>; COLUMNS.len() - 1],
}

impl Clinic {
    async fn open(stack: &Stack, arguments: &Arguments, size: u64) -> anyhow::Result<Self> {
        let name = format!("history_{size}");
        stack.plain_database.execute_unprepared(&format!("CREATE DATABASE {name}")).await?;
        let url = url(stack.port, &name);
        let directory = stack.cluster.directory.join(name);
        fs::create_dir_all(&directory)?;
        let mut services = Services::new(&arguments.programs()?, |_| url.clone(), &directory);
        services.migrate(None)?;
        let database = connect(&url).await?;
        prepared::finished(&database, 0..size, true).await?;
        prepared::in_progress(&database, FIRST_IN_PROGRESS..FIRST_IN_PROGRESS + IN_PROGRESS).await?;
        let pool = Database::connect(&url.clone().into()).await?;
        // The planner's statistics must not be those of empty tables.
        claimed(&database, &pool, FIRST_CLAIMED - CLAIMED).await?;
        prepared::tidy(&database).await?;
        services.start().await?;
        Ok(Self { database, pool, services, times: [const { Vec::new() }; _] })
    }

    /// Makes one request of each kind. The number of consultations in progress stays the same.
    async fn requests(&mut self, round: u64) -> anyhow::Result<()> {
        use operation::{finish, in_progress, last_ended, look_up, newest_payments, page, totals};
        let (oldest, next) = (FIRST_IN_PROGRESS + round, FIRST_IN_PROGRESS + round + IN_PROGRESS);
        prepared::in_progress(&self.database, next..next + 1).await?;
        let [newest, oldest_page, ended] = [page(true), page(false), last_ended(None)];
        let of_physician = last_ended(Some(PHYSICIAN));
        let mut calls =
            [finish(), look_up(), newest, oldest_page, in_progress(), totals(), ended, of_physician, newest_payments()];
        for call in &mut calls[..2] {
            call.request.fill(0, Uuid::from_u128(oldest.into()));
        }
        let mut connection = Connection::open(self.services.consultation.port).await?;
        for (call, times) in calls.iter().zip(&mut self.times[1..]) {
            let begin = Instant::now();
            exchange(&mut connection, call).await?;
            times.push(begin.elapsed());
        }
        Ok(())
    }

    /// Ends the services: no relay may claim beside the next measurement.
    async fn close(&mut self) -> anyhow::Result<()> {
        delivered(&self.database).await?;
        self.services.consultation.stop()?;
        self.services.finance.stop()
    }

    async fn claim(&mut self, round: u64) -> anyhow::Result<()> {
        let time = claimed(&self.database, &self.pool, FIRST_CLAIMED + round * CLAIMED).await?;
        self.times[0].push(time);
        Ok(())
    }

    fn latencies(self) -> Vec<Latencies> {
        self.times.into_iter().map(|times| times.into_iter().collect()).collect()
    }
}

/// Time of a claim of new payments.
async fn claimed(writer: &impl ConnectionTrait, database: &Database, first: u64) -> anyhow::Result<Duration> {
    prepared::finished(writer, first..first + CLAIMED, false).await?;
    let begin = Instant::now();
    let leases = store::claim(&database.write, Due::All, CLAIMED, LEASE).await?;
    let time = begin.elapsed();
    ensure!(u64::try_from(leases.len())? == CLAIMED, "{} were claimed", leases.len());
    store::confirm(&database.write, &leases.iter().collect::<Vec<_>>()).await?;
    Ok(time)
}

fn add(section: &mut Section, size: u64, times: &[Latencies], none: &[Latencies]) {
    let p50: Vec<_> = times.iter().map(|times| times.percentile(50)).collect();
    let ratios: Vec<_> = p50.iter().zip(none).map(|(time, none)| time / none.percentile(50)).collect();
    let millions = size / 1_000_000;
    let verdicts: Vec<_> = COLUMNS[1..]
        .iter()
        .zip(&ratios)
        .filter(|_| size > 0)
        .map(|(name, ratio)| {
            let promise = format!("{name} beside {millions} million, of beside none");
            section.bar(promise, *ratio, Limit::AtMost(1.2), " x")
        })
        .collect();
    let verdicts = verdicts.iter().copied().chain(std::iter::repeat(""));
    let cells = times.iter().zip(&ratios).zip(verdicts);
    let cells =
        cells.map(|((times, ratio), verdict)| format!("{} ({ratio:.2}) {verdict}", times.text(50)).trim().to_owned());
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
