//! Between the services and PostgreSQL: connections are cut when what was sent is done, so that the sender cannot
//! know it; or they fall silent, are led to another server, or are too many.

mod connection;

use std::sync::{
    Arc, Mutex,
    atomic::{AtomicU64, AtomicUsize, Ordering},
};

use fastrand::Rng;
use tokio::{net::TcpListener, sync::watch};

/// How PostgreSQL answers what it has committed: a transaction's end, or a statement that wrote by itself.
const COMMITTED: [&[u8]; 4] = [b"COMMIT\0", b"INSERT 0 ", b"UPDATE ", b"DELETE "];

/// How often, of 1,000 answers, the connection is cut instead of it.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Cuts {
    pub(crate) commits: u32,
    pub(crate) statements: u32,
}

/// Whose connections: each has a port of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Lane {
    Consultation,
    Finance,
    /// No fault hits these, but that the server is another.
    Checker,
}

/// What becomes of connections, which are numbered.
#[derive(Clone, Copy, Debug)]
struct Routes {
    /// By lane: the server's port.
    target: [u16; 3],
    /// By lane: those below this number are closed.
    closed_below: [u64; 3],
    /// By lane: those below this number are silent.
    silent_below: [u64; 3],
    /// By lane: new ones reach nobody.
    holds_new: [bool; 3],
    /// More at once than this are refused.
    most: usize,
}

#[derive(Debug)]
pub(crate) struct DatabaseProxy {
    ports: [u16; 3],
    routes: watch::Sender<Routes>,
    connections: AtomicU64,
    /// The services' connections that there are.
    open: AtomicUsize,
    cuts: Mutex<Cuts>,
    random: Mutex<Rng>,
    /// Connections cut after a commit, and after another statement.
    pub(crate) cut: [AtomicU64; 2],
    /// Connections refused, since there were too many.
    pub(crate) refused: AtomicU64,
}

impl DatabaseProxy {
    pub(crate) async fn start(target: u16, random: Rng) -> anyhow::Result<Arc<Self>> {
        let bind = async || TcpListener::bind("127.0.0.1:0").await;
        let listeners = [bind().await?, bind().await?, bind().await?];
        let mut ports = [0; 3];
        for (port, listener) in ports.iter_mut().zip(&listeners) {
            *port = listener.local_addr()?.port();
        }
        let routes = Routes {
            target: [target; 3],
            closed_below: [0; 3],
            silent_below: [0; 3],
            holds_new: [false; 3],
            most: usize::MAX,
        };
        let proxy = Arc::new(Self {
            ports,
            routes: watch::Sender::new(routes),
            connections: AtomicU64::new(0),
            open: AtomicUsize::new(0),
            cuts: Mutex::default(),
            random: Mutex::new(random),
            cut: Default::default(),
            refused: AtomicU64::new(0),
        });
        for (lane, listener) in [Lane::Consultation, Lane::Finance, Lane::Checker].into_iter().zip(listeners) {
            let proxy = proxy.clone();
            tokio::spawn(async move {
                while let Ok((client, _)) = listener.accept().await {
                    let (proxy, number) = (proxy.clone(), proxy.connections.fetch_add(1, Ordering::Relaxed));
                    tokio::spawn(async move { proxy.serve(client, lane, number).await });
                }
            });
        }
        Ok(proxy)
    }

    pub(crate) fn port(&self, lane: Lane) -> u16 {
        self.ports[lane as usize]
    }

    pub(crate) fn cut(&self, cuts: Cuts) {
        *self.cuts.lock().expect("cuts") = cuts;
    }

    /// New connections reach the server at this port; those that there are stay, or are closed.
    pub(crate) fn route_to(&self, target: u16, close: bool) {
        self.routes.send_modify(|routes| routes.target[Lane::Checker as usize] = target);
        self.route_services_to(target, close);
    }

    /// As `route_to`, but the checker's connections go where they went.
    pub(crate) fn route_services_to(&self, target: u16, close: bool) {
        self.routes.send_modify(|routes| routes.target[..Lane::Checker as usize].fill(target));
        if close {
            self.close_all();
        }
    }

    /// Of the connections that there are, no byte goes through any more, and nobody is told.
    pub(crate) fn silence(&self, lane: Lane) {
        let next = self.connections.load(Ordering::Relaxed);
        self.routes.send_modify(|routes| routes.silent_below[lane as usize] = next);
    }

    /// Closes what fell silent.
    pub(crate) fn end_silence(&self, lane: Lane) {
        self.routes.send_modify(|routes| routes.closed_below[lane as usize] = routes.silent_below[lane as usize]);
    }

    /// Whether new connections are accepted and reach nobody.
    pub(crate) fn hold_new(&self, lane: Lane, held: bool) {
        self.routes.send_modify(|routes| routes.holds_new[lane as usize] = held);
    }

    /// How many connections the services may have at once.
    pub(crate) fn limit(&self, most: usize) {
        self.routes.send_modify(|routes| routes.most = most);
    }

    /// Closes the services' connections.
    pub(crate) fn close_all(&self) {
        let next = self.connections.load(Ordering::Relaxed);
        self.routes.send_modify(|routes| routes.closed_below[..Lane::Checker as usize].fill(next));
    }

    /// Whether the connection is cut instead of this answer.
    fn cuts_instead_of(&self, answer: &[u8]) -> bool {
        let cuts = *self.cuts.lock().expect("cuts");
        let is_committed = COMMITTED.iter().any(|tag| answer.windows(tag.len()).any(|window| window == *tag));
        let of_1000 = if is_committed { cuts.commits } else { cuts.statements };
        let cut = of_1000 > 0 && self.random.lock().expect("random").u32(0..1000) < of_1000;
        if cut {
            self.cut[usize::from(!is_committed)].fetch_add(1, Ordering::Relaxed);
        }
        cut
    }
}
