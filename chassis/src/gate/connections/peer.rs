//! One connection of a client: what it does, and what the limits make of it.

use std::{
    net::SocketAddr,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use futures_util::{FutureExt, future::BoxFuture};
use graphql_http::Transport;
use tokio::{sync::watch, time::Instant};

use super::{
    limits::Limits,
    stream::Allowance,
    unread::{Unread, Waiting},
};

/// How long a client may take to close a connection that is finished.
const FINISHED: Duration = Duration::from_secs(5);
/// How long a client for whom there is no room may take to ask, and so to be told.
const REFUSED_HEAD: Duration = Duration::from_secs(2);

/// What a connection is to do. Later ones outdo earlier ones.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Order {
    /// Take requests.
    Serve,
    /// Finish what was begun.
    Finish,
    /// Close at once.
    Close,
}

/// A client's connection.
#[derive(Debug)]
pub(super) struct Peer {
    pub(super) address: SocketAddr,
    /// There is no room for it, which it is told.
    pub(super) is_refused: bool,
    pub(super) allowance: Allowance,
    opened: Instant,
    order: watch::Sender<Order>,
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    /// Requests, or operations of a WebSocket.
    in_progress: usize,
    /// Parts of answers.
    waiting: Waiting,
    /// Since when there is none of either.
    idle_since: Instant,
    /// Whether it ever sent a request.
    has_asked: bool,
    /// A WebSocket has time limits of its own.
    is_websocket: bool,
    finish_ordered: Option<Instant>,
}

impl Peer {
    pub(super) fn new(address: SocketAddr, is_refused: bool, unread: Arc<Unread>) -> Self {
        let now = Instant::now();
        let state = State {
            in_progress: 0,
            waiting: Waiting::new(unread),
            idle_since: now,
            has_asked: false,
            is_websocket: false,
            finish_ordered: None,
        };
        let order = watch::Sender::new(Order::Serve);
        Self { address, is_refused, allowance: Allowance::new(), opened: now, order, state: Mutex::new(state) }
    }

    /// The order that the limits call for.
    pub(super) fn due(&self, limits: &Limits, now: Instant) -> Order {
        let state = self.state();
        if state.waiting.stalled_for(now).is_some_and(|stalled| stalled > limits.write) {
            return Order::Close;
        }
        if state.is_websocket {
            return Order::Serve;
        }
        let is_finished = state.finish_ordered.is_some_and(|ordered| now - ordered > FINISHED);
        let head = if self.is_refused { REFUSED_HEAD.min(limits.head) } else { limits.head };
        match state.idle_since().map(|since| now.saturating_duration_since(since)) {
            Some(_) if is_finished => Order::Close,
            Some(idle) if !state.has_asked && idle > head => Order::Close,
            Some(idle) if state.has_asked && (self.is_refused || idle > limits.idle) => Order::Finish,
            _ if now - self.opened > limits.age => Order::Finish,
            _ => Order::Serve,
        }
    }

    /// Gives an order, unless one was given that outdoes it.
    pub(super) fn order(&self, order: Order) {
        if order == Order::Finish {
            self.state().finish_ordered.get_or_insert_with(Instant::now);
        }
        self.order.send_if_modified(|current| {
            let is_new = order > *current;
            *current = order.max(*current);
            is_new
        });
    }

    /// Waits for this order, or one that outdoes it.
    pub(super) async fn ordered(&self, awaited: Order) {
        // Fails only without a sender, which `self` holds.
        drop(self.order.subscribe().wait_for(|order| *order >= awaited).await);
    }

    /// Since when nothing is in progress, if that is so.
    pub(super) fn idle_since(&self) -> Option<Instant> {
        self.state().idle_since()
    }

    /// For how long the client did not read some part of an answer, and the bytes that wait for it.
    pub(super) fn unread(&self, now: Instant) -> Option<(Duration, usize)> {
        let state = self.state();
        state.waiting.stalled_for(now).map(|stalled| (stalled, state.waiting.bytes()))
    }

    /// Changes the parts of answers that wait for the client.
    pub(super) fn waiting<T>(&self, change: impl FnOnce(&mut Waiting) -> T) -> T {
        let mut state = self.state();
        let changed = change(&mut state.waiting);
        state.idle_since = Instant::now();
        changed
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// As a WebSocket.
impl Transport for Peer {
    fn upgraded(&self, limit: usize) {
        self.state().is_websocket = true;
        self.allowance.set(limit);
    }

    fn initialised(&self) {
        self.allowance.set(usize::MAX);
    }

    fn operation(self: Arc<Self>) -> Box<dyn Send + Sync> {
        Box::new(InProgress::begin(self))
    }

    fn closed(&self) -> BoxFuture<'_, ()> {
        self.ordered(Order::Close).boxed()
    }
}

impl State {
    fn idle_since(&self) -> Option<Instant> {
        (self.in_progress == 0 && self.waiting.is_empty()).then_some(self.idle_since)
    }
}

/// A request, or an operation of a WebSocket, until it is over: meanwhile its connection is not idle.
#[derive(Debug)]
pub(super) struct InProgress(pub(super) Arc<Peer>);

impl InProgress {
    pub(super) fn begin(peer: Arc<Peer>) -> Self {
        let mut state = peer.state();
        state.in_progress += 1;
        state.has_asked = true;
        drop(state);
        Self(peer)
    }
}

impl Drop for InProgress {
    fn drop(&mut self) {
        let mut state = self.0.state();
        state.in_progress -= 1;
        state.idle_since = Instant::now();
    }
}
