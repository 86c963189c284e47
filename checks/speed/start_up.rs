//! Time until a service is ready on SQLite, its memory and size.

use std::{fs, path::Path, time::Duration};

use serde_json::json;
use tokio::time::sleep;

use crate::{
    arguments::Arguments,
    figures::{Latencies, Limit},
    report::Section,
    service::{Service, Services},
    stack::Stack,
    usage::resident_mb,
};

const STARTS: usize = 10;
/// Start-up work ends within this time; then memory is read.
const SETTLES_WITHIN: Duration = Duration::from_secs(2);
const ABOUT: &str = "From spawn to the first 200 of /readyz on SQLite, 10 starts; all-in-one makes a new file and its \
                     schema, the others find them. Memory when idle; size of the program.";
const COLUMNS: [&str; 5] = ["program", "ready, p50", "slowest", "RSS", "size"];

pub(crate) async fn run(stack: &Stack, arguments: &Arguments) -> anyhow::Result<Section> {
    let mut section = Section::new("start-up", ABOUT, &COLUMNS);
    let (programs, ground) = (arguments.programs()?, stack.cluster.directory.join("start-up"));
    let services = services(&programs, &ground.join("services"))?;
    services.migrate(None)?;
    let Services { mut finance, mut consultation } = services;
    for service in [&mut finance, &mut consultation] {
        let mut times = Vec::new();
        for _ in 0..STARTS {
            service.stop()?;
            times.push(service.start().await?);
        }
        add(&mut section, service, &times.into_iter().collect()).await?;
    }
    let mut times = Vec::new();
    let mut together = None;
    for number in 0..STARTS {
        let fresh = self::services(&programs, &ground.join(number.to_string()))?;
        let service = together.insert(fresh.together(&programs));
        times.push(service.start().await?);
    }
    if let Some(service) = &together {
        add(&mut section, service, &times.into_iter().collect()).await?;
    }
    Ok(section)
}

fn services(programs: &Path, directory: &Path) -> anyhow::Result<Services> {
    fs::create_dir_all(directory)?;
    Ok(Services::new(programs, |name| format!("sqlite://{}/{name}.sqlite", directory.display()), directory))
}

async fn add(section: &mut Section, service: &Service, times: &Latencies) -> anyhow::Result<()> {
    sleep(SETTLES_WITHIN).await;
    let resident = service.pid().map_or(Ok(0.0), resident_mb)?;
    let name = service.program.file_name().unwrap_or_default().to_string_lossy();
    let size = fs::metadata(&service.program)?.len();
    let ready = section.bar(format!("{name} ready on SQLite, p50"), times.percentile(50), Limit::AtMost(150.0), " ms");
    let idle = section.bar(format!("RSS of {name}, idle"), resident, Limit::AtMost(25.0), " MB");
    section.row(&[
        name.to_string(),
        format!("{} {ready}", times.text(50)),
        times.text(100),
        format!("{resident:.1} MB {idle}"),
        format!("{}.{} MB", size / 1_000_000, size / 100_000 % 10),
    ]);
    section.figures.push(json!({
        "program": name, "ready_p50_ms": times.percentile(50), "ready_slowest_ms": times.percentile(100),
        "idle_rss_mb": resident, "program_bytes": size,
    }));
    Ok(())
}
