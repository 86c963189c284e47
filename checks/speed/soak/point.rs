//! What a soak measures at a moment.

use std::time::Duration;

use serde_json::json;

use crate::{
    figures::{Latencies, thousands},
    operation::Operation,
    plot::Chart,
    report::Section,
    stack::{Stack, real},
    usage::Usage,
};

const TABLES: &str = "SELECT sum(pg_table_size(relid))::float8 FROM pg_stat_user_tables";
const INDEXES: &str = "SELECT sum(pg_indexes_size(relid))::float8 FROM pg_stat_user_tables";
const DEAD: &str = "SELECT sum(n_dead_tup)::float8 FROM pg_stat_user_tables";
const CONSULTATIONS: &str = "SELECT sum(row_count)::float8 FROM consultation_count";

/// What was measured since the point before; memory and sizes as they are.
pub(super) struct Point {
    minutes: f64,
    pub(super) latencies: Latencies,
    pub(super) used: Usage,
    pub(super) finishes: f64,
    /// Bytes of both databases for each consultation so far.
    pub(super) table_bytes: f64,
    pub(super) index_bytes: f64,
    dead_rows: f64,
}

/// A line of a chart: its name, and its value at a point.
type Line<'a> = (&'a str, &'a dyn Fn(&Point) -> f64);

impl Point {
    pub(super) async fn at(stack: &Stack, after: Duration, latencies: Latencies, used: Usage) -> anyhow::Result<Self> {
        let (consultation, finance) = (&stack.consultation_database, &stack.finance_database);
        let both = async |sql| anyhow::Ok(real(consultation, sql).await? + real(finance, sql).await?);
        let consultations = real(consultation, CONSULTATIONS).await?;
        let requests = f64::from(u32::try_from(latencies.count())?);
        Ok(Self {
            minutes: after.as_secs_f64() / 60.0,
            latencies,
            used,
            finishes: requests / f64::from(Operation::Mixed.requests()),
            table_bytes: both(TABLES).await? / consultations,
            index_bytes: both(INDEXES).await? / consultations,
            dead_rows: both(DEAD).await?,
        })
    }

    pub(super) fn add_to(&self, section: &mut Section) {
        let Self { used, latencies, .. } = self;
        let cpu = |seconds: f64| format!("{:.0}", seconds / self.finishes * 1e6);
        section.row(&[
            format!("{:.0} min", self.minutes),
            thousands(self.finishes),
            latencies.text(50),
            latencies.text(99),
            format!("{:.0}, {:.0} MB", used.consultation_rss, used.finance_rss),
            format!("{}, {}, {} µs", cpu(used.consultation), cpu(used.finance), cpu(used.postgres)),
            format!("{:.0} B", self.table_bytes),
            format!("{:.0} B", self.index_bytes),
            thousands(self.dead_rows),
        ]);
        section.figures.push(json!({
            "minutes": self.minutes, "days": self.finishes, "p50_p99_ms": latencies.p50_p99(),
            "rss_mb": { "consultation": used.consultation_rss, "finance": used.finance_rss },
            "cpu_seconds": {
                "consultation": used.consultation, "finance": used.finance, "postgresql": used.postgres,
            },
            "table_bytes": self.table_bytes, "index_bytes": self.index_bytes, "dead_rows": self.dead_rows,
        }));
    }
}

pub(super) fn charts(points: &[Point]) -> Vec<Chart> {
    let chart = |title: &str, lines: &[Line<'_>]| Chart {
        title: format!("soak: {title}"),
        // Every fourth: their names would overlap.
        places: (1..).zip(points).map(|(number, point)| point.label(number)).collect(),
        across: "minutes",
        lines: lines.iter().map(|(name, value)| ((*name).to_owned(), points.iter().map(value).collect())).collect(),
    };
    vec![
        chart("ms", &[("p50", &|p| p.latencies.percentile(50)), ("p99", &|p| p.latencies.percentile(99))]),
        chart("RSS in MB", &[("consultation", &|p| p.used.consultation_rss), ("finance", &|p| p.used.finance_rss)]),
        chart("bytes a consultation", &[("tables", &|p| p.table_bytes), ("indexes", &|p| p.index_bytes)]),
        chart("dead rows", &[("of all tables", &|p| p.dead_rows)]),
    ]
}

impl Point {
    fn label(&self, number: u32) -> String {
        if number.is_multiple_of(4) { format!("{:.0}", self.minutes) } else { String::new() }
    }
}
