//! Connections of the attacker: raw bytes, from a loopback address of its own.

pub(crate) mod http2;
pub(crate) mod websocket;

use std::{
    future::Future,
    net::{IpAddr, Ipv4Addr, SocketAddr},
    time::Duration,
};

use anyhow::Context;
use reqwest::Client;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpSocket, TcpStream},
    task::JoinSet,
    time::timeout,
};

/// The whole network 127.0.0.0/8 is loopback on Linux.
pub(crate) const ATTACKER: Ipv4Addr = Ipv4Addr::new(127, 0, 0, 66);
/// A service that accepts no connection or byte for this time has refused it.
const IO_TIMEOUT: Duration = Duration::from_secs(3);
/// Connections opened at the same time.
const CONCURRENCY: usize = 50;
/// Longer than any refusal.
const MAX_ANSWER: usize = 64 * 1024;

/// A connection to `address`.
pub(crate) async fn connect(address: SocketAddr) -> anyhow::Result<TcpStream> {
    connect_from(ATTACKER, address).await
}

/// A connection from another loopback address.
pub(crate) async fn connect_from(from: Ipv4Addr, address: SocketAddr) -> anyhow::Result<TcpStream> {
    let socket = TcpSocket::new_v4()?;
    socket.bind((from, 0).into())?;
    Ok(timeout(IO_TIMEOUT, socket.connect(address)).await.context("no connection in time")??)
}

/// A connection whose owner reads nothing, with a small receive buffer in the kernel.
pub(crate) async fn connect_without_reading(address: SocketAddr) -> anyhow::Result<TcpStream> {
    const RECEIVE_BUFFER: u32 = 4096;
    let socket = TcpSocket::new_v4()?;
    socket.set_recv_buffer_size(RECEIVE_BUFFER)?;
    socket.bind((ATTACKER, 0).into())?;
    Ok(timeout(IO_TIMEOUT, socket.connect(address)).await.context("no connection in time")??)
}

/// Sends bytes. Returns whether they were accepted.
pub(crate) async fn send(stream: &mut TcpStream, bytes: &[u8]) -> bool {
    matches!(timeout(IO_TIMEOUT, stream.write_all(bytes)).await, Ok(Ok(())))
}

/// The bytes received until `limit` has passed, the connection is closed, or there are more than in any refusal.
pub(crate) async fn receive(stream: &mut TcpStream, limit: Duration) -> Vec<u8> {
    let mut received = Vec::new();
    let reading = async {
        while received.len() < MAX_ANSWER && stream.read_buf(&mut received).await.is_ok_and(|read| read > 0) {}
    };
    let _ = timeout(limit, reading).await;
    received
}

/// Whether the service closes the connection within `limit`.
pub(crate) async fn is_closed(stream: &mut TcpStream, limit: Duration) -> bool {
    let mut bytes = [0; 4096];
    let reading = async { while stream.read(&mut bytes).await.is_ok_and(|read| read > 0) {} };
    timeout(limit, reading).await.is_ok()
}

/// The status of the first HTTP/1 response.
pub(crate) fn status(answer: &[u8]) -> Option<u16> {
    let head = answer.strip_prefix(b"HTTP/1.1 ")?;
    std::str::from_utf8(head.get(..3)?).ok()?.parse().ok()
}

/// Runs `one` `count` times, some at the same time. Returns all results.
pub(crate) async fn many<T, F>(count: usize, mut one: impl FnMut(usize) -> F) -> Vec<T>
where
    T: Send + 'static,
    F: Future<Output = T> + Send + 'static,
{
    let (mut running, mut done) = (JoinSet::new(), Vec::new());
    for number in 0..count {
        if running.len() == CONCURRENCY {
            done.extend(running.join_next().await.and_then(Result::ok));
        }
        running.spawn(one(number));
    }
    done.extend(running.join_all().await);
    done
}

/// An HTTP client with the attacker's address, which reuses connections.
pub(crate) fn client() -> anyhow::Result<Client> {
    Ok(chassis::http_client::builder().local_address(IpAddr::from(ATTACKER)).build()?)
}
