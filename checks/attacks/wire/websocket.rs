//! WebSockets by hand (RFC 6455), for unfinished messages and for thousands of sockets.

use std::{net::SocketAddr, time::Duration};

use anyhow::ensure;
use serde_json::{Value, json};
use tokio::{
    io::{AsyncReadExt, copy, sink},
    net::{TcpStream, tcp::OwnedWriteHalf},
    time::timeout,
};

/// Limit for the answer to an upgrade and to credentials.
const ANSWERED_WITHIN: Duration = Duration::from_secs(3);
const TEXT: u8 = 0x81;
const IS_MASKED: u8 = 0x80;
/// Marks a length of 64 bits.
const LONG: u8 = 127;
/// A mask that leaves text unchanged.
const MASK: [u8; 4] = [0; 4];

/// Opens a WebSocket without credentials.
pub(crate) async fn open(address: SocketAddr) -> anyhow::Result<TcpStream> {
    let mut stream = super::connect(address).await?;
    let request = format!(
        "GET /graphql HTTP/1.1\r\nHost: {address}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
         Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\
         Sec-WebSocket-Protocol: graphql-transport-ws\r\n\r\n"
    );
    ensure!(super::send(&mut stream, request.as_bytes()).await, "the upgrade was not taken");
    let answer = until(&mut stream, b"\r\n\r\n").await;
    ensure!(super::status(&answer) == Some(101), "no upgrade: {:?}", super::status(&answer));
    Ok(stream)
}

/// Opens a WebSocket as a user, and discards what it receives.
pub(crate) async fn introduced(address: SocketAddr, authorization: &str) -> anyhow::Result<OwnedWriteHalf> {
    let mut stream = open(address).await?;
    let payload = json!({ "Authorization": authorization });
    ensure!(super::send(&mut stream, &message(&json!({ "type": "connection_init", "payload": payload }))).await);
    ensure!(until(&mut stream, b"}").await.ends_with(b"}"), "the user is not admitted");
    let (mut reader, writer) = stream.into_split();
    tokio::spawn(async move { copy(&mut reader, &mut sink()).await });
    Ok(writer)
}

/// The bytes received until these bytes or the time limit.
async fn until(stream: &mut TcpStream, end: &[u8]) -> Vec<u8> {
    let mut received = Vec::new();
    let reading =
        async { while !received.ends_with(end) && stream.read_buf(&mut received).await.is_ok_and(|read| read > 0) {} };
    let _ = timeout(ANSWERED_WITHIN, reading).await;
    received
}

/// A message that subscribes to a consultation.
pub(crate) fn follow(id: &str, consultation: &str) -> Vec<u8> {
    let query = "subscription ($id: ID!) { consultationChanged(id: $id) { id } }";
    let payload = json!({ "query": query, "variables": { "id": consultation } });
    message(&json!({ "type": "subscribe", "id": id, "payload": payload }))
}

/// A complete message.
pub(crate) fn message(message: &Value) -> Vec<u8> {
    let text = message.to_string();
    let mut frame = begun(text.len());
    frame.extend(text.as_bytes());
    frame
}

/// The head of a message of this many bytes.
pub(crate) fn begun(length: usize) -> Vec<u8> {
    let mut head = vec![TEXT, IS_MASKED | LONG];
    head.extend((length as u64).to_be_bytes());
    head.extend(MASK);
    head
}
