//! A raw HTTP/2 client.

use std::time::Duration;

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    time::timeout,
};

use super::{Server, TEST_TIMEOUT, connect, read_all, send};

pub(super) const HEADERS: u8 = 1;
pub(super) const PRIORITY: u8 = 2;
pub(super) const SETTINGS: u8 = 4;
pub(super) const PING: u8 = 6;
pub(super) const GOAWAY: u8 = 7;
const END_STREAM: u8 = 1;
const ACK: u8 = 1;
const END_HEADERS: u8 = 4;
const INITIAL_WINDOW_SIZE: [u8; 2] = [0, 4];

pub(super) struct Http2(pub(super) TcpStream);

#[derive(Debug, PartialEq, Eq)]
pub(super) struct Frame {
    pub(super) kind: u8,
    pub(super) payload: Vec<u8>,
}

pub(super) fn frame(kind: u8, flags: u8, stream: u32, payload: &[u8]) -> Vec<u8> {
    let length = u32::try_from(payload.len()).expect("short").to_be_bytes();
    [&length[1..], &[kind, flags], &stream.to_be_bytes(), payload].concat()
}

impl Http2 {
    /// Connects with a window of this many bytes per response.
    pub(super) async fn open(server: &Server, window: u32) -> Self {
        let mut client = connect(server).await;
        send(&mut client, b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n").await;
        let setting = [&INITIAL_WINDOW_SIZE[..], &window.to_be_bytes()].concat();
        send(&mut client, &frame(SETTINGS, 0, 0, &setting)).await;
        Self(client)
    }

    pub(super) async fn ask(&mut self, stream: u32, path: &str) {
        let length = u8::try_from(path.len()).expect("short");
        // HPACK: GET, http, and a literal path.
        let head = [&[0x82, 0x86, 0x04, length], path.as_bytes()].concat();
        // The server may have closed the connection.
        drop(self.0.write_all(&frame(HEADERS, END_HEADERS | END_STREAM, stream, &head)).await);
    }

    /// The next frame of a kind. Pings are answered meanwhile.
    pub(super) async fn next(&mut self, kind: u8) -> Frame {
        loop {
            let frame = timeout(TEST_TIMEOUT, self.read()).await.expect("in time");
            if frame.kind == PING {
                send(&mut self.0, &super::http2::frame(PING, ACK, 0, &frame.payload)).await;
            }
            if frame.kind == kind {
                return frame;
            }
        }
    }

    /// Kinds of all frames until the connection is closed.
    pub(super) async fn kinds_until_closed(&mut self) -> Vec<u8> {
        let bytes = read_all(&mut self.0).await;
        let (mut kinds, mut rest) = (Vec::new(), &bytes[..]);
        while let [a, b, c, kind, ..] = rest {
            kinds.push(*kind);
            let length = u32::from_be_bytes([0, *a, *b, *c]) as usize;
            rest = rest.get(9 + length..).unwrap_or_default();
        }
        kinds
    }

    async fn read(&mut self) -> Frame {
        let mut head = [0; 9];
        self.0.read_exact(&mut head).await.expect("a frame");
        let mut payload = vec![0; u32::from_be_bytes([0, head[0], head[1], head[2]]) as usize];
        self.0.read_exact(&mut payload).await.expect("its payload");
        Frame { kind: head[3], payload }
    }

    /// Whether the connection is still open after a while.
    pub(super) async fn stays_open(&mut self, time: Duration) -> bool {
        let mut bytes = Vec::new();
        timeout(time, self.0.read_to_end(&mut bytes)).await.is_err()
    }
}
