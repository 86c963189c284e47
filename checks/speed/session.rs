//! One client: a connection and its next request.

use std::{
    ops::Range,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

use anyhow::{Context, bail, ensure};
use chassis::clock;
use fastrand::Rng;
use uuid::{Uuid, fmt::Hyphenated};

use crate::{
    http::Connection,
    operation::{self, Call, Operation},
};

/// Physicians have many consultations, patients one.
const PHYSICIANS: u128 = 100;

/// Numbers of prepared rows, each for one client.
#[derive(Debug)]
pub(crate) struct Numbers {
    next: AtomicU64,
    end: u64,
}

impl Numbers {
    pub(crate) fn new(numbers: Range<u64>) -> Arc<Self> {
        Arc::new(Self { next: numbers.start.into(), end: numbers.end })
    }

    pub(crate) fn next(&self) -> Option<u64> {
        Some(self.next.fetch_add(1, Ordering::Relaxed)).filter(|number| *number < self.end)
    }

    /// The first number that was not taken.
    pub(crate) fn rest(&self) -> u64 {
        self.next.load(Ordering::Relaxed).min(self.end)
    }
}

pub(crate) struct Session {
    operation: Operation,
    connection: Connection,
    random: Rng,
    numbers: Arc<Numbers>,
    /// Calls in their order.
    calls: Vec<Call>,
    next: usize,
    /// The consultation of the present round.
    current: Uuid,
}

impl Session {
    pub(crate) async fn open(port: u16, operation: Operation, numbers: Arc<Numbers>) -> anyhow::Result<Self> {
        let calls = match operation {
            Operation::Start => vec![operation::start()],
            Operation::CreateRow => vec![operation::create_row()],
            Operation::Finish => vec![operation::finish()],
            Operation::Record => vec![operation::record()],
            Operation::Mixed => {
                vec![operation::start(), operation::look_up(), operation::page(true), operation::finish()]
            }
        };
        let connection = Connection::open(port).await?;
        Ok(Self { operation, connection, random: Rng::new(), numbers, calls, next: 0, current: Uuid::nil() })
    }

    /// The same with other credentials.
    pub(crate) fn authorized_by(mut self, authorization: &str) -> Self {
        for call in &mut self.calls {
            call.request = call.request.clone().authorized_by(authorization);
        }
        self
    }

    /// Makes one request, which must succeed.
    pub(crate) async fn step(&mut self) -> anyhow::Result<()> {
        let step = self.next;
        self.next = (step + 1) % self.calls.len();
        let is_start = self.operation == Operation::Start || self.operation == Operation::Mixed && step == 0;
        let call = &mut self.calls[step];
        if is_start {
            call.request.fill(0, Uuid::from_u128(self.random.u128(0..PHYSICIANS)));
            call.request.fill(1, Uuid::from_u128(self.random.u128(..)));
        } else if self.operation == Operation::CreateRow {
            call.request.fill(0, Uuid::from_u128(self.random.u128(0..PHYSICIANS)));
            call.request.fill(1, Uuid::from_u128(self.random.u128(..)));
            // UUIDv7, as the services make them: no scattered keys in an index.
            call.request.fill(2, clock::id_at(clock::now()));
        } else if self.operation == Operation::Finish {
            let number = self.numbers.next().context("all prepared consultations are finished")?;
            call.request.fill(0, Uuid::from_u128(number.into()));
        } else if self.operation == Operation::Record {
            call.request.fill(0, Uuid::from_u128(self.random.u64(..).into()));
        } else if step != 2 {
            call.request.fill(0, self.current);
        }
        let answer = exchange(&mut self.connection, call).await?;
        if is_start && self.operation == Operation::Mixed {
            let id = &answer[call.begins.len()..][..Hyphenated::LENGTH];
            self.current = Uuid::try_parse_ascii(id)?;
        }
        Ok(())
    }
}

/// Makes a call. Returns the body of a success.
pub(crate) async fn exchange<'a>(connection: &'a mut Connection, call: &Call) -> anyhow::Result<&'a [u8]> {
    let answer = connection.exchange(call.request.bytes()).await?;
    if !answer.starts_with(call.begins) || !answer.ends_with(call.ends) {
        bail!("not a success: {}", String::from_utf8_lossy(answer));
    }
    ensure!(answer.len() > call.begins.len() + Hyphenated::LENGTH / 2, "too short");
    Ok(answer)
}
