//! The proxy between the services and PostgreSQL. It cuts a connection between a commit and its answer, makes
//! connections fall silent, routes them to another server, or refuses too many.

mod connection;

use std::sync::{
    Arc, Mutex,
    atomic::{AtomicU64, AtomicUsize, Ordering},
};

use fastrand::Rng;
use tokio::{net::TcpListener, sync::watch};

/// PostgreSQL's answers to a commit: of a transaction, or of a single statement that wrote.
const COMMITTED: [&[u8]; 4] = [b"COMMIT\0", b"INSERT 0 ", b"UPDATE ", b"DELETE "];

/// Of 1,000 answers, the number that is replaced by a cut connection.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Cuts {
    pub(crate) commits: u32,
    pub(crate) statements: u32,
}

/// The owner of connections; each has a port of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Lane {
    Consultation,
    Finance,
    /// The checker's connections have one fault only: another server.
    Checker,
}

/// The treatment of connections, by their numbers.
#[derive(Clone, Copy, Debug)]
struct Routes {
    /// By lane: the server's port.
    target: [u16; 3],
    /// By lane: connections below this number are closed.
    closed_below: [u64; 3],
    /// By lane: connections below this number are silent.
    silent_below: [u64; 3],
    /// By lane: new connections reach nobody.
    holds_new: [bool; 3],
    /// The services' connections beyond this number are refused.
    most: usize,
}

#[derive(Debug)]
pub(crate) struct DatabaseProxy {
    ports: [u16; 3],
    routes: watch::Sender<Routes>,
    connections: AtomicU64,
    /// Number of the services' open connections.
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

    /// Routes new connections to the server at this port. The open ones stay, or are closed.
    pub(crate) fn route_to(&self, target: u16, close: bool) {
        self.routes.send_modify(|routes| routes.target[Lane::Checker as usize] = target);
        self.route_services_to(target, close);
    }

    /// As `route_to`, without the checker's connections.
    pub(crate) fn route_services_to(&self, target: u16, close: bool) {
        self.routes.send_modify(|routes| routes.target[..Lane::Checker as usize].fill(target));
        if close {
            self.close_all();
        }
    }

    /// The open connections carry no more bytes, and stay open.
    pub(crate) fn silence(&self, lane: Lane) {
        let next = self.connections.load(Ordering::Relaxed);
        self.routes.send_modify(|routes| routes.silent_below[lane as usize] = next);
    }

    /// Closes the silent connections.
    pub(crate) fn end_silence(&self, lane: Lane) {
        self.routes.send_modify(|routes| routes.closed_below[lane as usize] = routes.silent_below[lane as usize]);
    }

    /// Accepts new connections without a server, or with one again.
    pub(crate) fn hold_new(&self, lane: Lane, held: bool) {
        self.routes.send_modify(|routes| routes.holds_new[lane as usize] = held);
    }

    /// Limits the services' connections.
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
