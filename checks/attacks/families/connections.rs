//! Connections without credentials that cost the service more than the attacker.

use std::time::Duration;

use tokio::time::sleep;

use crate::{
    attack::{Attack, Evidence},
    stage::{CREDENTIALS, Setup, Stage},
    wire::{self, http2, many, websocket},
};

/// Idle connections are held for this time. Memory peaks when the last is open.
const HELD_FOR: Duration = Duration::from_secs(1);
/// A head or a body must be complete within 10 s. The other two are for a busy machine.
const COMPLETE_WITHIN: Duration = Duration::from_secs(12);
/// Pause between two bytes: each read of the service succeeds.
const DRIP_PAUSE: Duration = Duration::from_millis(500);

pub(crate) fn attacks() -> Vec<Attack> {
    let limited = Setup { descriptors: Some(256), ..Setup::default() };
    vec![
        Attack::new("idle-websockets", "500 WebSockets that do not introduce themselves", |stage| {
            Box::pin(idle_websockets(stage))
        }),
        Attack::new("unfinished-messages", "1,000 WebSockets, each with 250 kB of an unfinished message", |stage| {
            Box::pin(unfinished_messages(stage))
        }),
        Attack::new("unfinished-heads", "400 request heads of 400 kB, unfinished", |stage| {
            Box::pin(unfinished_heads(stage))
        }),
        Attack::new("idle-http2", "3,000 idle HTTP/2 connections", |stage| Box::pin(idle_http2(stage))),
        Attack::new("few-descriptors", "600 idle HTTP/2 connections, 256 descriptors", |stage| {
            Box::pin(few_descriptors(stage))
        })
        .on(limited),
        Attack::new("slow-heads", "300 request heads in drips", |stage| Box::pin(slow_heads(stage))),
        Attack::new("slow-rest-bodies", "50 REST bodies in drips, with credentials", |stage| {
            Box::pin(slow_bodies(stage))
        }),
    ]
}

async fn idle_websockets(stage: &Stage) -> anyhow::Result<Evidence> {
    let address = stage.consultation.address;
    let sockets = many(500, |_| websocket::open(address)).await;
    sleep(HELD_FOR).await;
    Ok(Evidence::of(sockets.len()))
}

async fn unfinished_messages(stage: &Stage) -> anyhow::Result<Evidence> {
    const LENGTH: usize = 250_000;
    let address = stage.consultation.address;
    let message = [websocket::begun(LENGTH), vec![b'a'; LENGTH - 1]].concat();
    let sockets = many(1_000, |_| {
        let message = message.clone();
        async move {
            let mut socket = websocket::open(address).await.ok()?;
            wire::send(&mut socket, &message).await.then_some(socket)
        }
    });
    let sockets = sockets.await;
    sleep(HELD_FOR).await;
    Ok(Evidence::of(sockets.len()))
}

async fn unfinished_heads(stage: &Stage) -> anyhow::Result<Evidence> {
    let address = stage.consultation.address;
    let head = format!("GET /livez HTTP/1.1\r\nHost: {address}\r\nX-Long: {}", "a".repeat(400_000));
    let connections = many(400, |_| {
        let head = head.clone();
        async move {
            let mut connection = wire::connect(address).await.ok()?;
            wire::send(&mut connection, head.as_bytes()).await.then_some(connection)
        }
    });
    let connections = connections.await;
    sleep(HELD_FOR).await;
    Ok(Evidence::of(connections.len()))
}

async fn idle_http2(stage: &Stage) -> anyhow::Result<Evidence> {
    hold_http2(stage, 3_000, HELD_FOR).await
}

/// More than twice the descriptors. The honest client needs one for each request.
async fn few_descriptors(stage: &Stage) -> anyhow::Result<Evidence> {
    hold_http2(stage, 600, 3 * HELD_FOR).await
}

/// Opens connections that made one request each.
async fn hold_http2(stage: &Stage, count: usize, held_for: Duration) -> anyhow::Result<Evidence> {
    const WINDOW: u32 = 65_535;
    let address = stage.consultation.address;
    let connections = many(count, |_| async move {
        let mut connection = http2::Connection::open(address, WINDOW).await.ok()?;
        let is_of_use = connection.request("/livez", &[], None).await && connection.is_answered().await;
        is_of_use.then_some(connection)
    });
    let connections = connections.await;
    sleep(held_for).await;
    Ok(Evidence::of(connections.len()))
}

async fn slow_heads(stage: &Stage) -> anyhow::Result<Evidence> {
    let start = format!("GET /livez HTTP/1.1\r\nHost: {}\r\n", stage.consultation.address);
    drip(stage, 300, start, "X: y\r\n").await
}

async fn slow_bodies(stage: &Stage) -> anyhow::Result<Evidence> {
    let head = format!(
        "POST /app/consultation/start/ HTTP/1.1\r\nHost: {}\r\nAuthorization: {CREDENTIALS}\r\n\
         Content-Type: application/json\r\nContent-Length: 4000\r\n\r\n{{",
        stage.consultation.address
    );
    drip(stage, 50, head, " ").await
}

/// Sends `start` on each connection, then `drop` repeatedly, until the service ends it.
async fn drip(stage: &Stage, count: usize, start: String, drop: &'static str) -> anyhow::Result<Evidence> {
    let address = stage.consultation.address;
    let mut connections = Vec::new();
    for connection in many(count, |_| wire::connect(address)).await {
        connections.push(connection?);
    }
    let mut drips = tokio::task::JoinSet::new();
    for mut connection in connections {
        let start = start.clone();
        drips.spawn(async move {
            let dripping = async {
                let mut goes_on = wire::send(&mut connection, start.as_bytes()).await;
                while goes_on && !wire::is_closed(&mut connection, DRIP_PAUSE).await {
                    goes_on = wire::send(&mut connection, drop.as_bytes()).await;
                }
            };
            tokio::time::timeout(COMPLETE_WITHIN, dripping).await.is_err()
        });
    }
    let open = drips.join_all().await.into_iter().filter(|is_open| *is_open).count();
    Ok(Evidence::of(count).hole_if(open > 0, format!("{open} of {count} are open after {COMPLETE_WITHIN:?}")))
}
