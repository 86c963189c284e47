//! Attacks on logins: guessing passwords, and making the service compute slow hashes.

mod users;

use std::{
    net::{IpAddr, Ipv4Addr},
    time::{Duration, Instant},
};

use anyhow::Context;
use base64::{Engine, prelude::BASE64_STANDARD};
use tokio::time::{sleep, timeout};

use crate::{
    attack::{Attack, Evidence},
    stage::{Setup, Stage},
    wire::{self, http2, many},
};

/// Guesses that may be checked before further ones are delayed. OWASP's limit is 5 to 10 for a name.
const MAX_JUDGED_GUESSES: usize = 50;
/// A user whose login takes longer gives up.
const LOGIN_TIMEOUT: Duration = Duration::from_secs(10);
const RETRY_PAUSE: Duration = Duration::from_millis(500);

pub(crate) fn attacks() -> Vec<Attack> {
    let users = Setup { users: Some(users::htpasswd), ..Setup::default() };
    vec![
        Attack::new("guessing", "500 guesses of one user's password on one connection", |stage| {
            Box::pin(guessing(stage))
        }),
        Attack::new("slow-hashes", "200 wrong passwords for bcrypt on one HTTP/2 connection", |stage| {
            Box::pin(slow_hashes(stage))
        })
        .on(users),
        Attack::new("hang-up", "200 wrong passwords for argon2 from as many addresses, each hangs up", |stage| {
            Box::pin(hang_up(stage))
        })
        .on(users),
        Attack::new("names-by-time", "which names exist, by the time of refusals", |stage| {
            Box::pin(names_by_time(stage))
        })
        .on(users),
        Attack::new("beyond-72-bytes", "another password after byte 72 of bcrypt", |stage| {
            Box::pin(beyond_72_bytes(stage))
        })
        .on(users),
    ]
}

async fn guessing(stage: &Stage) -> anyhow::Result<Evidence> {
    const GUESSES: usize = 500;
    let http = wire::client()?;
    let mut judged = 0;
    for number in 0..GUESSES {
        let request =
            http.get(stage.consultation.url("/schema.graphql")).basic_auth("admin", Some(format!("guess{number}")));
        judged += usize::from(request.send().await?.status() == 401);
    }
    let log = stage.consultation.log_text()?;
    let is_logged = log.lines().any(|line| line.contains(&wire::ATTACKER.to_string()) && line.contains("admin"));
    let evidence = Evidence::of(GUESSES);
    let evidence = evidence.hole_if(judged > MAX_JUDGED_GUESSES, format!("{judged} of {GUESSES} guesses were judged"));
    Ok(evidence.hole_if(!is_logged, "nothing is logged"))
}

async fn slow_hashes(stage: &Stage) -> anyhow::Result<Evidence> {
    const GUESSES: usize = 200;
    let mut connection = http2::Connection::open(stage.consultation.address, 65_535).await?;
    for number in 0..GUESSES {
        let authorization = basic("slow", &format!("guess{number}"));
        connection.request("/schema.graphql", &[("authorization", &authorization)], None).await;
    }
    let (asked, http) = (Instant::now(), chassis::http_client::builder().build()?);
    let login = || http.get(stage.consultation.url("/schema.graphql")).basic_auth("late", Some("secret")).send();
    let admitted = async {
        // A busy service may refuse; the user tries again.
        while !login().await.is_ok_and(|answer| answer.status().is_success()) {
            sleep(RETRY_PAUSE).await;
        }
    };
    let is_admitted = timeout(LOGIN_TIMEOUT, admitted).await.is_ok();
    let waited = asked.elapsed();
    Ok(Evidence::of(GUESSES).hole_if(!is_admitted, format!("a valid user is not admitted after {waited:.0?}")))
}

async fn hang_up(stage: &Stage) -> anyhow::Result<Evidence> {
    const GUESSES: usize = 200;
    let address = stage.consultation.address;
    // From many addresses: guesses from one are slowed down.
    let guess = |number: usize| {
        let authorization = basic("memory", &format!("guess{number}"));
        let request =
            format!("GET /schema.graphql HTTP/1.1\r\nHost: {address}\r\nAuthorization: {authorization}\r\n\r\n");
        async move {
            let from = Ipv4Addr::new(127, 0, 2, u8::try_from(number)?);
            let mut connection = wire::connect_from(from, address).await?;
            wire::send(&mut connection, request.as_bytes()).await;
            // The client hangs up after the hash has begun.
            sleep(Duration::from_millis(20)).await;
            anyhow::Ok(())
        }
    };
    let sent = many(GUESSES, guess).await;
    sleep(Duration::from_secs(1)).await;
    Ok(Evidence::of(sent.len()))
}

async fn names_by_time(stage: &Stage) -> anyhow::Result<Evidence> {
    // The user with the slowest hash: a faster refusal of an unknown name would reveal that it is unknown.
    let (slowest, unknown) = (refusal_time(stage, "memory", 1).await?, refusal_time(stage, "nobody", 101).await?);
    let hole = format!("a user's refusal takes {slowest:.0?}, that of an unknown name {unknown:.0?}");
    Ok(Evidence::of(10).hole_if(unknown < slowest / 2, hole))
}

/// The median of five, each from an address of its own: guesses from one are slowed down.
async fn refusal_time(stage: &Stage, name: &str, first_address: u8) -> anyhow::Result<Duration> {
    let mut times = Vec::new();
    for number in 0..5 {
        let address = Ipv4Addr::new(127, 0, 1, first_address + number);
        let http = chassis::http_client::builder().local_address(IpAddr::from(address)).build()?;
        let request = http.get(stage.consultation.url("/schema.graphql")).basic_auth(name, Some("wrong"));
        let asked = Instant::now();
        request.send().await?;
        times.push(asked.elapsed());
    }
    times.sort_unstable();
    times.get(2).copied().context("five")
}

async fn beyond_72_bytes(stage: &Stage) -> anyhow::Result<Evidence> {
    let password = format!("{}another", "a".repeat(72));
    let request = wire::client()?.get(stage.consultation.url("/schema.graphql")).basic_auth("long", Some(password));
    let status = request.send().await?.status();
    Ok(Evidence::of(1).hole_if(status.is_success(), "admitted"))
}

fn basic(name: &str, password: &str) -> String {
    format!("Basic {}", BASE64_STANDARD.encode(format!("{name}:{password}")))
}
