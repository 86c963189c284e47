//! A second caller of finance. It repeats payments, and sends other amounts. Repetitions must change nothing, and other
//! amounts must be refused.

use std::time::Duration;

use fastrand::Rng;
use tokio::time::sleep;
use uuid::Uuid;

use crate::{
    api::{Answer, amount, cents},
    world::World,
};

/// Short enough that duplicates meet the relay's own calls.
const PAYMENT_INTERVAL: Duration = Duration::from_millis(120);

/// Pays consultations that clients know to be finished, until it is stopped.
pub(crate) async fn run(world: &World, mut random: Rng) {
    loop {
        sleep(PAYMENT_INTERVAL.mul_f64(0.5 + random.f64())).await;
        if let Some((id, price)) = world.load.payable(&mut random) {
            let port = random.choice(&world.stack.finance).expect("a replica").port;
            pay_again(world, id, price, port, &mut random).await;
        }
    }
}

async fn pay_again(world: &World, id: Uuid, price: i64, port: u16, random: &mut Rng) {
    world.seen.count("duplicated request");
    match world.pay(&world.api, port, id, price).await {
        Ok(Answer::Done(stored)) if cents(&stored) == price => {}
        Ok(other) => return world.seen.conflict(format!("{id}: {price} cents again gave {other:?}")),
        Err(_) => return,
    }
    // Another amount is a conflict only once the payment is recorded.
    let wrong = if random.bool() { price + 1 } else { price - 1 };
    world.seen.count("conflicting request");
    match world.api.record(port, &id.to_string(), &amount(wrong)).await {
        Ok(Answer::Refused(code, stored)) if code == "PAYMENT_CONFLICT" && cents(&stored) == price => {
            world.seen.refused_conflict();
        }
        Ok(other) => world.seen.conflict(format!("{id}: {wrong} instead of {price} cents gave {other:?}")),
        Err(_) => {}
    }
}
