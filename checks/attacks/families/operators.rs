//! Mistakes of an operator, and DNS names that point to a service.

use std::{
    fs,
    time::{Duration, Instant},
};

use tokio::time::sleep;

use crate::{
    attack::{Attack, Evidence},
    stage::{CREDENTIALS, Setup, Stage},
    wire,
};

/// A removed user is refused within this time: operators expect a change of the file to take effect.
const REMOVED_WITHIN: Duration = Duration::from_secs(10);
const POLL_INTERVAL: Duration = Duration::from_millis(500);
/// An address for documentation (RFC 5737): a service cannot listen there, and no client reaches it.
const BEYOND_LOOPBACK: &str = "192.0.2.1:8010";

pub(crate) fn attacks() -> Vec<Attack> {
    vec![
        Attack::new("removed-user", "a user who was removed from the htpasswd file", |stage| {
            Box::pin(removed_user(stage))
        })
        .on(Setup { users: Some(users), ..Setup::default() }),
        Attack::new("development-password", "the development password beyond loopback", |stage| {
            Box::pin(development_password(stage))
        }),
        Attack::new("weak-password", "the password `a` beyond loopback", |stage| Box::pin(weak_password(stage))),
        Attack::new("dns-rebinding", "a page whose name points to the service", |stage| Box::pin(dns_rebinding(stage))),
    ]
}

fn users() -> anyhow::Result<String> {
    // The lowest cost: this attack is not about guessing.
    const COST: u32 = 4;
    Ok(format!("admin:{}\ndismissed:{}", bcrypt::hash("teste123", COST)?, bcrypt::hash("secret", COST)?))
}

async fn removed_user(stage: &Stage) -> anyhow::Result<Evidence> {
    let http = wire::client()?;
    let enters = async || {
        let request = http.get(stage.consultation.url("/schema.graphql")).basic_auth("dismissed", Some("secret"));
        anyhow::Ok(request.send().await?.status().is_success())
    };
    anyhow::ensure!(enters().await?, "the user is not admitted before");
    let users = fs::read_to_string(stage.htpasswd())?;
    let others: Vec<_> = users.lines().filter(|line| !line.starts_with("dismissed:")).collect();
    fs::write(stage.htpasswd(), others.join("\n"))?;
    let (began, mut requests) = (Instant::now(), 1);
    while enters().await? {
        requests += 1;
        if began.elapsed() > REMOVED_WITHIN {
            return Ok(Evidence::of(requests).hole_if(true, format!("enters {REMOVED_WITHIN:?} later")));
        }
        sleep(POLL_INTERVAL).await;
    }
    Ok(Evidence::of(requests))
}

async fn development_password(stage: &Stage) -> anyhow::Result<Evidence> {
    let said = said_beyond_loopback(stage, &[]).await?;
    let is_refused =
        said.contains("--development") || said.contains("development password") && !said.contains("cannot listen");
    Ok(Evidence::of(1).hole_if(!is_refused, "not refused, if the machine had that address"))
}

async fn weak_password(stage: &Stage) -> anyhow::Result<Evidence> {
    let said = said_beyond_loopback(stage, &[("CONSULTATION_PASSWORD", "a")]).await?;
    Ok(Evidence::of(1).hole_if(!said.to_lowercase().contains("password"), "no word about it"))
}

/// The output of consultation with an address beyond loopback. It ends by itself, since it cannot listen there.
async fn said_beyond_loopback(stage: &Stage, more: &[(&str, &str)]) -> anyhow::Result<String> {
    let settings = [
        ("CONSULTATION_BIND", BEYOND_LOOPBACK),
        ("CONSULTATION_DATABASE_URL", "sqlite::memory:"),
        // A strong password for finance: a weak one is another mistake.
        ("CONSULTATION_FINANCE_PASSWORD", "a password of its own for finance"),
    ];
    let settings: Vec<_> = settings.into_iter().chain(more.iter().copied()).collect();
    let mut command = stage.command("consultation", &[], &settings);
    let output = tokio::task::spawn_blocking(move || command.output()).await??;
    anyhow::ensure!(!output.status.success(), "it listens");
    Ok(String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned())
}

/// DNS rebinding: evil.example now has the service's address, so that the browser sees one site.
async fn dns_rebinding(stage: &Stage) -> anyhow::Result<Evidence> {
    let mut connection = wire::connect(stage.consultation.address).await?;
    let body = r#"{"query":"{ consultations(first: 1) { totalCount } }"}"#;
    let request = format!(
        "POST /graphql HTTP/1.1\r\nHost: evil.example\r\nOrigin: http://evil.example\r\nSec-Fetch-Site: same-origin\r\n\
         Authorization: {CREDENTIALS}\r\nContent-Type: application/json\r\nConnection: close\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    );
    wire::send(&mut connection, request.as_bytes()).await;
    let answer = wire::receive(&mut connection, Duration::from_secs(2)).await;
    let is_told = String::from_utf8_lossy(&answer).contains("totalCount");
    Ok(Evidence::of(1).hole_if(is_told, "answered"))
}
