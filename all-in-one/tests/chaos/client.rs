//! The load: clients that start and finish consultations, and their own log of what they were told.

mod pace;

use std::{
    sync::{
        Mutex,
        atomic::{AtomicI32, AtomicU32, Ordering},
    },
    time::Duration,
};

use chassis::clock;
use fastrand::Rng;
use tokio::time::sleep;
use uuid::Uuid;

use pace::Pace;

use crate::api::{Answer, Api, cents};

/// Clients at once: more than the replicas' write batches can hide.
pub(crate) const CLIENTS: u32 = 8;
/// Of 10 clients whose answer is lost, how many ask again; the others never learn.
const PERSISTENT_OF_10: u8 = 8;
/// Together with the pauses longer than any fault but a lasting one.
const ATTEMPTS: u32 = 15;
const PAUSE: Duration = Duration::from_millis(400);
/// Of 100 finishes, how many have an end before the start, which must be refused.
const WRONG_OF_100: u8 = 2;
/// Up to five and a half hours, so that prices vary.
const LONGEST_SECONDS: u64 = 20_000;
const HOUR: Duration = Duration::from_hours(1);

/// What a client knows of the consultation that it finished.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// With the price in cents.
    Acknowledged(i64),
    Refused,
    Unknown,
}

#[derive(Debug)]
pub(crate) struct Load {
    api: Api,
    ports: Vec<u16>,
    left: AtomicI32,
    pub(crate) pace: Pace,
    log: Mutex<Vec<(Uuid, Outcome)>>,
    /// Consultations whose start was never answered.
    pub(crate) lost_starts: AtomicU32,
    /// Finishes that were refused as finished before anyone had tried to finish.
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
            lost_starts: AtomicU32::new(0),
            surprises: Mutex::default(),
        }
    }

    pub(crate) fn left(&self) -> i32 {
        self.left.load(Ordering::Relaxed).max(0)
    }

    pub(crate) fn log(&self) -> Vec<(Uuid, Outcome)> {
        self.log.lock().expect("log").clone()
    }

    /// An acknowledged consultation and its price, for whoever wants to pay it again.
    pub(crate) fn acknowledged(&self, random: &mut Rng) -> Option<(Uuid, i64)> {
        let log = self.log.lock().expect("log");
        match random.choice(log.iter()) {
            Some((id, Outcome::Acknowledged(price))) => Some((*id, *price)),
            _ => None,
        }
    }

    /// One client, until there is nothing left to do.
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
            Some(id) => self.finish(id, random).await,
            None => drop(self.lost_starts.fetch_add(1, Ordering::Relaxed)),
        }
    }

    /// A consultation in progress, unless no answer came.
    pub(crate) async fn start(&self, random: &mut Rng) -> Option<Uuid> {
        let [physician, patient] = [(); 2].map(|()| Uuid::from_u128(random.u128(..)).to_string());
        for attempt in 0..attempts(random) {
            if let Ok(id) = self.api.start(self.port(random), &physician, &patient).await {
                return Some(id.parse().expect("an id"));
            }
            pause(attempt, random).await;
        }
        None
    }

    /// Finishes a consultation, and notes what came of it.
    pub(crate) async fn finish(&self, id: Uuid, random: &mut Rng) {
        let outcome = self.finished(id, random).await;
        self.log.lock().expect("log").push((id, outcome));
    }

    async fn finished(&self, id: Uuid, random: &mut Rng) -> Outcome {
        let wrong = random.u8(0..100) < WRONG_OF_100;
        let end = if wrong {
            clock::now() - HOUR
        } else {
            clock::now() + Duration::from_secs(1 + random.u64(0..LONGEST_SECONDS))
        };
        let attempts = attempts(random);
        for attempt in 0..attempts {
            match self.api.finish(self.port(random), &id.to_string(), &end.to_rfc3339()).await {
                Ok(Answer::Done(price)) => return Outcome::Acknowledged(cents(&price)),
                Ok(Answer::Refused(code, price)) if code == "CONSULTATION_ALREADY_FINISHED" => {
                    if attempt == 0 {
                        self.surprises.lock().expect("surprises").push(id.to_string());
                    }
                    return Outcome::Acknowledged(cents(&price));
                }
                Ok(Answer::Refused(..)) => return Outcome::Refused,
                Err(_) => pause(attempt, random).await,
            }
        }
        Outcome::Unknown
    }

    fn port(&self, random: &mut Rng) -> u16 {
        *random.choice(&self.ports).expect("a replica")
    }
}

fn attempts(random: &mut Rng) -> u32 {
    if random.u8(0..10) < PERSISTENT_OF_10 { ATTEMPTS } else { 1 }
}

/// Longer after each attempt, and never the same for all.
async fn pause(attempt: u32, random: &mut Rng) {
    sleep(PAUSE.mul_f64(0.5 + random.f64()) * (1 + attempt.min(4))).await;
}
