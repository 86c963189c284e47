//! Connections of the server, through real sockets.

mod crowds;
mod http2;
mod idle;
mod peer;
mod unread;
mod useless;

use std::{convert::Infallible, net::SocketAddr, time::Duration};

use axum::{
    Router,
    body::{Body, Bytes, to_bytes},
    routing::get,
};
use chassis::{
    gate::connections::Limits,
    server::{self, Listener},
};
use futures_util::{StreamExt, stream};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    time::timeout,
};
use tokio_util::sync::{CancellationToken, DropGuard};

/// Above any limit in these tests.
const TEST_TIMEOUT: Duration = Duration::from_secs(20);

/// Limits that no test reaches.
fn unlimited() -> Limits {
    let hour = Duration::from_hours(1);
    let all = usize::MAX / 2;
    Limits {
        connections: all,
        head: hour,
        idle: hour,
        age: hour,
        write: hour,
        unread_answers: all,
        send_buffer: 16 * 1024,
    }
}

/// A server that ends when this is dropped.
struct Server {
    address: SocketAddr,
    shutdown: CancellationToken,
    _guard: DropGuard,
}

fn serve(limits: Limits, router: Router) -> Server {
    let tcp = std::net::TcpListener::bind("127.0.0.1:0").expect("a free port");
    let address = tcp.local_addr().expect("an address");
    let shutdown = CancellationToken::new();
    tokio::spawn(server::serve(Listener::from(tcp).with_limits(limits), router, shutdown.clone()));
    Server { address, shutdown: shutdown.clone(), _guard: shutdown.drop_guard() }
}

/// Routes that answer at once, with an endless event stream, or with more bytes than a socket holds.
fn routes() -> Router {
    let upload = async |body: Body| to_bytes(body, usize::MAX).await.expect("a body").len().to_string();
    Router::new()
        .route("/", get(async || "ok").post(upload))
        .route("/livez", get(async || "ok"))
        .route("/events", get(async || Body::from_stream(one_and_no_more())))
        .route("/large", get(async || vec![b'a'; 8 * 1024 * 1024]))
}

fn one_and_no_more() -> impl futures_util::Stream<Item = Result<Bytes, Infallible>> + Send {
    stream::iter([Ok(Bytes::from_static(b"event"))]).chain(stream::pending())
}

async fn connect(server: &Server) -> TcpStream {
    TcpStream::connect(server.address).await.expect("a connection")
}

/// Connects and sends a request by HTTP/1.
async fn ask(server: &Server, path: &str) -> TcpStream {
    let mut client = connect(server).await;
    send(&mut client, format!("GET {path} HTTP/1.1\r\nHost: any\r\n\r\n").as_bytes()).await;
    client
}

async fn send(client: &mut TcpStream, bytes: &[u8]) {
    client.write_all(bytes).await.expect("sent");
}

/// Reads until `end` has come.
async fn read_until(client: &mut TcpStream, end: &str) -> String {
    let mut text = String::new();
    while !text.contains(end) {
        let mut bytes = [0; 1024];
        let read = timeout(TEST_TIMEOUT, client.read(&mut bytes)).await.expect("in time").expect("an answer");
        assert_ne!(read, 0, "ended after {text}");
        text += &String::from_utf8_lossy(&bytes[..read]);
    }
    text
}

/// All data until the server closes the connection.
async fn read_all(client: &mut TcpStream) -> Vec<u8> {
    let mut bytes = Vec::new();
    // A reset is possible too.
    drop(timeout(TEST_TIMEOUT, client.read_to_end(&mut bytes)).await.expect("closed in time"));
    bytes
}
