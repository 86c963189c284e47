//! Starts the processes of a cluster on migrated databases.

use std::path::Path;

use testkit::{Process, TestDatabase};

pub(super) async fn start_consultation(
    db: &TestDatabase,
    port: u16,
    finance_port: u16,
    further: &[(&'static str, String)],
) -> Process {
    let (bind, url) = (format!("127.0.0.1:{port}"), db.url());
    let finance_url = format!("http://127.0.0.1:{finance_port}/graphql");
    let mut settings = vec![
        ("CONSULTATION_BIND", bind.as_str()),
        ("CONSULTATION_DATABASE_URL", &url),
        ("CONSULTATION_FINANCE_URL", &finance_url),
    ];
    settings.extend(further.iter().map(|(name, value)| (*name, value.as_str())));
    migrate("consultation", &settings);
    Process::start("consultation", port, &settings).await
}

pub(super) async fn start_finance(
    db: &TestDatabase,
    port: u16,
    trusted_documents: Option<&Path>,
    further: &[(&'static str, String)],
) -> Process {
    let (bind, url) = (format!("127.0.0.1:{port}"), db.url());
    let mut settings = vec![("FINANCE_BIND", bind.as_str()), ("FINANCE_DATABASE_URL", &url)];
    settings.extend(further.iter().map(|(name, value)| (*name, value.as_str())));
    settings.extend(trusted_documents.map(|path| ("FINANCE_TRUSTED_DOCUMENTS", path.to_str().expect("a path"))));
    migrate("finance", &settings);
    Process::start("finance", port, &settings).await
}

fn migrate(name: &str, settings: &[(&str, &str)]) {
    let migrated = Process::command(name, &["migrate"], settings).output().expect("it runs");
    assert!(migrated.status.success(), "{name} migrate: {}", String::from_utf8_lossy(&migrated.stderr));
}
