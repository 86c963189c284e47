//! A service in this process, on a free port.

use std::net::TcpListener;

use chassis::{
    Service,
    gate::connections::Limits,
    server::{self, Listener},
};
use tokio_util::sync::{CancellationToken, DropGuard};

use crate::GraphqlClient;

/// A running service, which ends when it is dropped.
#[derive(Debug)]
pub struct TestService {
    /// Client of the service.
    pub client: GraphqlClient,
    _shutdown: DropGuard,
}

impl TestService {
    /// Starts the service that `build` makes.
    pub fn start(build: impl FnOnce(&CancellationToken) -> Service) -> Self {
        Self::start_within(Limits::default(), build)
    }

    /// As `start`, with these limits on connections.
    pub fn start_within(limits: Limits, build: impl FnOnce(&CancellationToken) -> Service) -> Self {
        let shutdown = CancellationToken::new();
        let Service { router, tasks, .. } = build(&shutdown);
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let client = GraphqlClient::new(format!("http://{}", listener.local_addr().expect("an address")));
        let listener = Listener::from(listener).with_limits(limits);
        tokio::spawn(server::serve(listener, router, shutdown.clone()));
        for (_, task) in tasks {
            tokio::spawn(task);
        }
        Self { client, _shutdown: shutdown.drop_guard() }
    }
}
