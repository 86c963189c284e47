//! The load: clients that start, finish and cancel consultations, and log every answer.

mod cancel;
mod entry;
mod pace;
mod start;

use std::{
    ops::Range,
    sync::{
        Mutex,
        atomic::{AtomicI32, AtomicU32, Ordering},
    },
    time::Duration,
};

use chassis::clock;
use fastrand::Rng;
use tokio::time::{Instant, sleep};
use uuid::Uuid;

pub(crate) use entry::{Entry, Outcome};
use pace::Pace;

use crate::api::{Answer, Api};
use entry::ALREADY_FINISHED;

/// Enough clients for write batches with several rows.
pub(crate) const CLIENTS: u32 = 8;
/// Of 10 clients whose answer is lost, this many repeat the call. For the others the outcome stays unknown.
const PERSISTENT_OF_10: u8 = 8;
/// With the pauses between them longer than any temporary fault.
const MAX_ATTEMPTS: u32 = 15;
const RETRY_PAUSE: Duration = Duration::from_millis(400);
/// Of 100 finishes, this many have an end before the start, which must be refused.
const WRONG_OF_100: u8 = 2;
/// Of 100 finishes, those from `WRONG_OF_100` to this have no end: the consultation ends when it is finished.
const NOW_BELOW_OF_100: u8 = 40;
/// The intruder may pay one of this many too. The relay alone pays the others, so that a loss shows.
const PAYABLE_ONE_OF: u128 = 3;
/// The longest consultation, five and a half hours: prices vary.
const LONGEST_SECONDS: u64 = 20_000;
const HOUR: Duration = Duration::from_hours(1);

#[derive(Debug)]
pub(crate) struct Load {
    api: Api,
    ports: Vec<u16>,
    left: AtomicI32,
    pub(crate) pace: Pace,
    log: Mutex<Vec<Entry>>,
    /// The begin and the length of each call.
    waits: Mutex<Vec<(Instant, Duration)>>,
    /// Starts that were never answered.
    pub(crate) lost_starts: AtomicU32,
    /// Calls that were refused as repetitions, although no client had made them before.
    pub(crate) surprises: Mutex<Vec<String>>,
}

impl Load {
    pub(crate) fn new(api: Api, ports: Vec<u16>, consultations: i32) -> Self {
        let left = AtomicI32::new(consultations);
        Self {
            api,
            ports,
            left,
            pace: Pace::default(),
            log: Mutex::default(),
            waits: Mutex::default(),
            lost_starts: AtomicU32::new(0),
            surprises: Mutex::default(),
        }
    }

    pub(crate) fn left(&self) -> i32 {
        self.left.load(Ordering::Relaxed).max(0)
    }

    pub(crate) fn log(&self) -> Vec<Entry> {
        self.log.lock().expect("log").clone()
    }

    /// Adds an entry to the clients' log.
    pub(crate) fn record(&self, entry: Entry) {
        self.log.lock().expect("log").push(entry);
    }

    /// An acknowledged consultation that the intruder may pay, and its price.
    pub(crate) fn payable(&self, random: &mut Rng) -> Option<(Uuid, i64)> {
        let log = self.log.lock().expect("log");
        let first = random.usize(..log.len().max(1));
        let (after, before) = (log.get(first..).unwrap_or_default(), &log[..first.min(log.len())]);
        after.iter().chain(before).find_map(|entry| match entry.outcome {
            Outcome::Acknowledged(price) if entry.id.as_u128().is_multiple_of(PAYABLE_ONE_OF) => {
                Some((entry.id, price))
            }
            _ => None,
        })
    }

    /// Runs one client until all consultations are done.
    pub(crate) async fn run(&self, mut random: Rng) {
        while self.left() > 0 {
            self.pace.turn(&mut random).await;
            if self.left.fetch_sub(1, Ordering::Relaxed) > 0 {
                self.consult(&mut random).await;
            }
        }
    }

    async fn consult(&self, random: &mut Rng) {
        match self.start(random).await {
            Some(started) => self.end(started, random).await,
            None => drop(self.lost_starts.fetch_add(1, Ordering::Relaxed)),
        }
    }

    /// Finishes a consultation and logs the outcome.
    pub(crate) async fn finish(&self, mut entry: Entry, random: &mut Rng) {
        let end = match random.u8(0..100) {
            0..WRONG_OF_100 => Some(entry.start_date.unwrap_or_else(clock::now) - HOUR),
            WRONG_OF_100..NOW_BELOW_OF_100 => None,
            _ => Some(clock::now() + Duration::from_secs(1 + random.u64(0..LONGEST_SECONDS))),
        };
        let end = end.map(|end| end.to_rfc3339());
        entry.has_end = end.is_some();
        let attempts = attempts(random);
        for attempt in 0..attempts {
            let id = entry.id.to_string();
            let answer = self.timed(self.api.finish(self.port(random), &id, end.as_deref())).await;
            if attempt == 0 && matches!(&answer, Ok(Answer::Refused(code, _)) if code == ALREADY_FINISHED) {
                self.surprises.lock().expect("surprises").push(entry.id.to_string());
            }
            entry.ended(&answer);
            if answer.is_ok() {
                break;
            }
            pause(attempt, random).await;
        }
        self.record(entry);
    }

    async fn timed<T>(&self, call: impl Future<Output = T>) -> T {
        let began = Instant::now();
        let answer = call.await;
        self.waits.lock().expect("waits").push((began, began.elapsed()));
        answer
    }

    /// The lengths of calls that began in this time, shortest first.
    pub(crate) fn waits(&self, time: Range<Instant>) -> Vec<Duration> {
        let waits = self.waits.lock().expect("waits");
        let mut waits: Vec<_> = waits.iter().filter(|(began, _)| time.contains(began)).map(|wait| wait.1).collect();
        waits.sort_unstable();
        waits
    }

    fn port(&self, random: &mut Rng) -> u16 {
        *random.choice(&self.ports).expect("a replica")
    }
}

fn attempts(random: &mut Rng) -> u32 {
    if random.u8(0..10) < PERSISTENT_OF_10 { MAX_ATTEMPTS } else { 1 }
}

/// Backoff with jitter.
async fn pause(attempt: u32, random: &mut Rng) {
    sleep(RETRY_PAUSE.mul_f64(0.5 + random.f64()) * (1 + attempt.min(4))).await;
}
