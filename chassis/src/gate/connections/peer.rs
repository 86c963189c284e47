//! One client connection: its activity, and the order that the limits give it.

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

/// Time for a client to close a finished connection.
const FINISH_TIMEOUT: Duration = Duration::from_secs(5);
/// Time for a refused client to send a request, and so to receive the refusal.
const REFUSED_HEAD_TIMEOUT: Duration = Duration::from_secs(2);

/// Order to a connection. A later variant overrides an earlier one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Order {
    /// Take requests.
    Serve,
    /// Finish requests in progress.
    Finish,
    /// Close at once.
    Close,
}

/// A client's connection.
#[derive(Debug)]
pub(super) struct Peer {
    pub(super) address: SocketAddr,
    /// Connection beyond the limit; its requests are refused.
    pub(super) is_refused: bool,
    pub(super) allowance: Allowance,
    opened: Instant,
    order: watch::Sender<Order>,
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    /// Requests, or WebSocket operations.
    in_progress: usize,
    /// Unread response chunks.
    waiting: Waiting,
    /// Time since which there is none of either.
    idle_since: Instant,
    /// Whether it has sent a request.
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

    /// The order that the limits require.
    pub(super) fn due(&self, limits: &Limits, now: Instant) -> Order {
        let state = self.state();
        if state.waiting.stalled_for(now).is_some_and(|stalled| stalled > limits.write) {
            return Order::Close;
        }
        if state.is_websocket {
            return Order::Serve;
        }
        let is_finished = state.finish_ordered.is_some_and(|ordered| now - ordered > FINISH_TIMEOUT);
        let head = if self.is_refused { REFUSED_HEAD_TIMEOUT.min(limits.head) } else { limits.head };
        match state.idle_since().map(|since| now.saturating_duration_since(since)) {
            Some(_) if is_finished => Order::Close,
            Some(idle) if !state.has_asked && idle > head => Order::Close,
            Some(idle) if state.has_asked && (self.is_refused || idle > limits.idle) => Order::Finish,
            _ if now - self.opened > limits.age => Order::Finish,
            _ => Order::Serve,
        }
    }

    /// Gives an order, unless an overriding one was given.
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

    /// Waits for this order or an overriding one.
    pub(super) async fn ordered(&self, awaited: Order) {
        // Fails only without a sender, which `self` holds.
        drop(self.order.subscribe().wait_for(|order| *order >= awaited).await);
    }

    /// Time since which the connection is idle, if it is.
    pub(super) fn idle_since(&self) -> Option<Instant> {
        self.state().idle_since()
    }

    /// The longest wait of a response chunk, and the bytes that wait.
    pub(super) fn unread(&self, now: Instant) -> Option<(Duration, usize)> {
        let state = self.state();
        state.waiting.stalled_for(now).map(|stalled| (stalled, state.waiting.bytes()))
    }

    /// Updates the unread response chunks.
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

/// The connection of a WebSocket.
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

/// A request or WebSocket operation in progress; meanwhile its connection is not idle.
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
