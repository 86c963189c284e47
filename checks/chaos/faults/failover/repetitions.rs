//! Finishes and payments that are repeated until they are answered, while no commit succeeds.

use std::time::Duration;

use fastrand::Rng;
use futures_util::future::join_all;
use tokio::time::{Instant, sleep, timeout_at};
use uuid::Uuid;

use crate::{
    api::{Answer, cents},
    client::Entry,
    proxy::Finance,
    world::World,
};

const FINISHES: usize = 6;
const PAYMENTS: usize = 4;
const POLL_INTERVAL: Duration = Duration::from_millis(200);

/// Consultations in progress, and finished ones whose payment is not recorded yet.
pub(super) struct Repetitions {
    started: Vec<Entry>,
    unpaid: Vec<(Uuid, i64)>,
}

impl Repetitions {
    /// Everything prepared is durable.
    pub(super) async fn prepare(world: &World, random: &mut Rng) -> Self {
        world.stack.set_finance(Finance::BlackHole);
        let mut repetitions = Self { started: Vec::new(), unpaid: Vec::new() };
        for _ in 0..FINISHES {
            repetitions.started.extend(world.load.start(random).await);
        }
        for _ in 0..PAYMENTS {
            let Some(mut entry) = world.load.start(random).await else { continue };
            let port = world.stack.consultation[0].port;
            let answer = world.api.finish(port, &entry.id.to_string(), None).await;
            entry.ended(&answer);
            if let Ok(Answer::Done(price)) = answer {
                repetitions.unpaid.push((entry.id, cents(&price)));
            }
            world.load.record(entry);
        }
        repetitions
    }

    /// Repeats each for `time`, at all replicas in turn, and records every answer.
    pub(super) async fn ask(&self, world: &World, time: Duration) {
        let until = Instant::now() + time;
        let finishes = join_all(self.started.iter().cloned().map(|mut entry| async move {
            let id = entry.id.to_string();
            let asking = async {
                for replica in world.stack.consultation.iter().cycle() {
                    let answer = world.api.finish(replica.port, &id, None).await;
                    entry.ended(&answer);
                    if answer.is_ok() {
                        return;
                    }
                    sleep(POLL_INTERVAL).await;
                }
            };
            let _ = timeout_at(until, asking).await;
            world.load.record(entry);
        }));
        let payments = join_all(self.unpaid.iter().map(async |(id, price)| {
            let asking = async {
                for replica in world.stack.finance.iter().cycle() {
                    if world.pay(&world.api, replica.port, *id, *price).await.is_ok() {
                        return;
                    }
                    sleep(POLL_INTERVAL).await;
                }
            };
            let _ = timeout_at(until, asking).await;
        }));
        tokio::join!(finishes, payments);
    }
}
