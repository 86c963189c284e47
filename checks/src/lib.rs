//! The common part of the programs of this crate: they run until they are done or interrupted.

pub mod metrics;

use std::{future::Future, process::ExitCode, time::Duration};

use anyhow::anyhow;
use tokio::runtime;

/// Killed processes and the directory of a cluster are gone within this time.
const CLEANUP_TIMEOUT: Duration = Duration::from_secs(10);

/// Runs a program until it is done or interrupted by Ctrl-C. A failure is printed, and is the exit code.
///
/// # Panics
/// When the runtime cannot be started.
pub fn run(program: impl Future<Output = anyhow::Result<()>>) -> ExitCode {
    let runtime = runtime::Builder::new_multi_thread().enable_all().build().expect("a runtime");
    let result = runtime.block_on(async {
        tokio::select! {
            result = program => result,
            _ = tokio::signal::ctrl_c() => Err(anyhow!("interrupted")),
        }
    });
    // Tasks still own processes and directories. Dropping the tasks ends and removes these.
    runtime.shutdown_timeout(CLEANUP_TIMEOUT);
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            println!("FAILED: {error:#}");
            ExitCode::FAILURE
        }
    }
}
