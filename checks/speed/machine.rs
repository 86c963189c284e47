//! The machine and versions of a measurement.

use std::{fs, process::Command, thread};

use serde_json::{Value, json};

use crate::stack::{SETTINGS, Stack, text};

pub(crate) async fn describe(stack: &Stack) -> anyhow::Result<Value> {
    let version = text(&stack.plain_database, "SELECT current_setting('server_version')").await?;
    let memory = fs::read_to_string("/proc/meminfo")?;
    let memory: u64 = memory.split_whitespace().nth(1).and_then(|kilobytes| kilobytes.parse().ok()).unwrap_or(0);
    let processor = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let processor = processor.lines().find_map(|line| line.strip_prefix("model name")?.split_once(": "));
    let load = fs::read_to_string("/proc/loadavg").unwrap_or_default();
    let disk = printed("df", &["--output=fstype", &stack.cluster.directory.display().to_string()]);
    Ok(json!({
        "cores": thread::available_parallelism()?.get(),
        "processor": processor.map_or("", |(_, model)| model),
        "memory_mb": memory / 1024,
        "kernel": printed("uname", &["-r"]),
        "file_system": disk.lines().last(),
        "load_before": load.split_whitespace().next(),
        "postgresql": version,
        "postgresql_settings": SETTINGS.replace("-c ", ""),
        "commit": printed("git", &["describe", "--always", "--dirty", "--abbrev=12"]),
        "date": printed("date", &["-u", "+%F %R UTC"]),
    }))
}

fn printed(program: &str, arguments: &[&str]) -> String {
    let output = Command::new(program).args(arguments).output();
    output.map(|output| String::from_utf8_lossy(&output.stdout).trim().to_owned()).unwrap_or_default()
}
