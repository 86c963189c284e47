//! pgbench with the services' SQL, row by row, and its results.

use std::{fs, path::Path, process::Command, time::Duration};

use anyhow::{Context, ensure};

use crate::{figures::Latencies, operation::Operation, stack::Stack};

/// An id like UUIDv7: pgbench must not pay for scattered keys, as the services do not.
const NEW_ID: &str = "(lpad(to_hex((extract(epoch FROM clock_timestamp()) * 1000000)::bigint), 16, '0')
     || lpad(to_hex(:r::bigint), 16, '0'))::uuid";
const RANDOM: &str = "\\set r random(0, 4611686018427387903)\n\\set s random(0, 4611686018427387903)\n";
const COLUMNS: &str = "id, physician_id, patient_id, start_date, end_date, price_cents, started_by, finished_by,
    cancel_reason, cancelled_by, origin";
/// Two threads with many clients, so that pgbench itself is not the bottleneck.
const THREADS: usize = 2;

#[derive(Clone, Debug)]
pub(crate) struct Plain {
    /// Transaction scripts.
    pub(crate) per_second: f64,
    pub(crate) transactions: u64,
    pub(crate) latencies: Latencies,
}

/// One run of pgbench.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Bench {
    pub(crate) operation: Operation,
    pub(crate) clients: usize,
    pub(crate) lasts: Duration,
    /// The first prepared row.
    pub(crate) from: u64,
}

impl Bench {
    pub(crate) fn run(self, stack: &Stack) -> anyhow::Result<Plain> {
        let directory = &stack.cluster.directory;
        let file = directory.join("script.sql");
        fs::write(&file, script(self.operation))?;
        let mut command = Command::new(stack.cluster.programs.join("pgbench"));
        command.args(["-h", "127.0.0.1", "-U", "postgres", "-n", "-M", "prepared", "-l", "--log-prefix=times"]);
        command.arg("-p").arg(stack.port.to_string()).arg("-f").arg(&file).current_dir(directory);
        command.arg("-c").arg(self.clients.to_string()).arg("-j").arg(THREADS.min(self.clients).to_string());
        command.arg("-T").arg(self.lasts.as_secs().max(1).to_string());
        for (name, value) in [("i", 0), ("clients", self.clients as u64), ("from", self.from)] {
            command.arg("-D").arg(format!("{name}={value}"));
        }
        let output = command.arg("plain").output().context("pgbench")?;
        let (printed, errors) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
        ensure!(output.status.success(), "pgbench: {errors}");
        let (transactions, per_second) = figures(&printed).with_context(|| format!("pgbench: {printed}{errors}"))?;
        Ok(Plain { per_second, transactions, latencies: latencies(directory)? })
    }
}

/// Transactions, and transactions per second; `None` if some failed.
fn figures(printed: &str) -> Option<(u64, f64)> {
    let after = |label: &str| printed.lines().find_map(|line| line.strip_prefix(label));
    let transactions = after("number of transactions actually processed: ")?.trim().parse().ok()?;
    after("number of failed transactions: ")?.starts_with("0 ").then_some(())?;
    let per_second = after("tps = ")?.split_whitespace().next()?.parse().ok()?;
    Some((transactions, per_second))
}

/// Latencies from the threads' logs, which are removed. The third word of a line is microseconds.
fn latencies(directory: &Path) -> anyhow::Result<Latencies> {
    let mut times = Vec::new();
    for entry in fs::read_dir(directory)? {
        let path = entry?.path();
        if path.file_name().is_some_and(|name| name.to_string_lossy().starts_with("times.")) {
            let log = fs::read_to_string(&path)?;
            let micros = log.lines().filter_map(|line| line.split(' ').nth(2)?.parse().ok());
            times.extend(micros.map(Duration::from_micros));
            fs::remove_file(path)?;
        }
    }
    Ok(times.into_iter().collect())
}

fn script(operation: Operation) -> String {
    let start = format!(
        "INSERT INTO consultation (id, physician_id, patient_id, start_date, started_by)
         VALUES ({NEW_ID}, lpad(to_hex(:r::bigint % 100), 32, '0')::uuid, lpad(to_hex(:s::bigint), 32, '0')::uuid, now(),
             'admin')
         ON CONFLICT DO NOTHING RETURNING {COLUMNS}"
    );
    match operation {
        Operation::Start | Operation::CreateRow => format!("{RANDOM}{start};\n"),
        Operation::Record => format!(
            "{RANDOM}INSERT INTO payment (id, appointment_id, total_price_cents, recorded_by, recorded_at)
             VALUES ({NEW_ID}, lpad(to_hex(:s::bigint), 32, '0')::uuid, 21600, 'admin', now())
             ON CONFLICT DO NOTHING RETURNING id, appointment_id, total_price_cents, recorded_by, recorded_at;\n"
        ),
        Operation::Finish => format!(
            "{RANDOM}\\set n :from + :i * :clients + :client_id\n\\set i :i + 1\n{}",
            finish("lpad(to_hex(:n::bigint), 32, '0')::uuid")
        ),
        Operation::Mixed => format!(
            "{RANDOM}{start} \\gset\n
             SELECT {COLUMNS} FROM consultation WHERE id = :id::uuid;
             SELECT {COLUMNS} FROM consultation ORDER BY id DESC LIMIT 21;\n{}",
            finish(":id::uuid")
        ),
    }
}

/// The two statements of the service, for one row.
fn finish(id: &str) -> String {
    format!(
        "SELECT {COLUMNS} FROM consultation WHERE id = {id};
         WITH in_progress AS MATERIALIZED (
             SELECT id FROM consultation WHERE id = {id} AND end_date IS NULL FOR NO KEY UPDATE
         ), finished AS (
             UPDATE consultation SET end_date = clock_timestamp(), price_cents = 20000, finished_by = 'admin'
             FROM in_progress WHERE consultation.id = in_progress.id RETURNING consultation.id, consultation.price_cents
         )
         INSERT INTO pending_payment (id, appointment_id, total_price_cents, next_attempt_at, created_at)
         SELECT {NEW_ID}, id, price_cents, clock_timestamp(), clock_timestamp() FROM finished;\n"
    )
}
