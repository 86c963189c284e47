//! HTTP/2 by hand (RFC 9113): a library follows the rules that an attacker breaks.

use std::{
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use anyhow::ensure;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{
        TcpStream,
        tcp::{OwnedReadHalf, OwnedWriteHalf},
    },
    sync::{Mutex, Notify},
    task::JoinHandle,
    time::timeout,
};

const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

pub(crate) const DATA: u8 = 0;
pub(crate) const HEADERS: u8 = 1;
pub(crate) const PRIORITY: u8 = 2;
pub(crate) const RESET: u8 = 3;
pub(crate) const SETTINGS: u8 = 4;
pub(crate) const PING: u8 = 6;
pub(crate) const CONTINUATION: u8 = 9;

pub(crate) const ACKNOWLEDGE: u8 = 1;
pub(crate) const END_STREAM: u8 = 1;
pub(crate) const END_HEADERS: u8 = 4;

const SETTING_INITIAL_WINDOW: u16 = 4;

/// A connection that answers pings, as a live client does, and accepts no more than its window.
#[derive(Debug)]
pub(crate) struct Connection {
    writer: Arc<Mutex<OwnedWriteHalf>>,
    reader: JoinHandle<()>,
    is_closed: Arc<AtomicBool>,
    /// Notified at the begin of a response.
    answered: Arc<Notify>,
    next_stream: u32,
}

impl Connection {
    /// Opens a connection with this window for each stream.
    pub(crate) async fn open(address: SocketAddr, window: u32) -> anyhow::Result<Self> {
        let mut stream = super::connect(address).await?;
        let mut settings = SETTING_INITIAL_WINDOW.to_be_bytes().to_vec();
        settings.extend(window.to_be_bytes());
        let opening = [PREFACE.to_vec(), frame(SETTINGS, 0, 0, &settings)].concat();
        ensure!(super::send(&mut stream, &opening).await, "the preface was not taken");
        Ok(Self::over(stream))
    }

    fn over(stream: TcpStream) -> Self {
        let (read, write) = stream.into_split();
        let (writer, is_closed) = (Arc::new(Mutex::new(write)), Arc::new(AtomicBool::new(false)));
        let (pongs, ended) = (Arc::clone(&writer), Arc::clone(&is_closed));
        let answered = Arc::new(Notify::new());
        let begun = Arc::clone(&answered);
        let reader = tokio::spawn(async move {
            answer_pings(read, &pongs, &begun).await;
            ended.store(true, Ordering::Relaxed);
        });
        Self { writer, reader, is_closed, answered, next_stream: 1 }
    }

    /// Begins a request. Returns whether the service accepts more.
    pub(crate) async fn request(&mut self, path: &str, more: &[(&str, &str)], body: Option<&str>) -> bool {
        let method = if body.is_some() { "POST" } else { "GET" };
        let pseudo = [(":method", method), (":scheme", "http"), (":path", path), (":authority", "127.0.0.1")];
        let stream = self.stream();
        let flags = if body.is_some() { END_HEADERS } else { END_HEADERS | END_STREAM };
        let mut frames = frame(HEADERS, flags, stream, &fields(pseudo.iter().chain(more)));
        if let Some(body) = body {
            frames.extend(frame(DATA, END_STREAM, stream, body.as_bytes()));
        }
        self.send(&frames).await
    }

    /// Waits for the begin of a response. Returns whether it came.
    pub(crate) async fn is_answered(&self) -> bool {
        timeout(super::IO_TIMEOUT, self.answered.notified()).await.is_ok()
    }

    /// The number of the next stream of this client.
    pub(crate) fn stream(&mut self) -> u32 {
        self.next_stream += 2;
        self.next_stream - 2
    }

    /// Sends frames. Returns whether the service accepts more.
    pub(crate) async fn send(&self, frames: &[u8]) -> bool {
        let sent = timeout(super::IO_TIMEOUT, async { self.writer.lock().await.write_all(frames).await });
        !self.is_closed() && matches!(sent.await, Ok(Ok(())))
    }

    pub(crate) fn is_closed(&self) -> bool {
        self.is_closed.load(Ordering::Relaxed)
    }
}

impl Drop for Connection {
    fn drop(&mut self) {
        self.reader.abort();
    }
}

/// A frame, of at most 16 KiB.
pub(crate) fn frame(kind: u8, flags: u8, stream: u32, payload: &[u8]) -> Vec<u8> {
    let length = u32::try_from(payload.len()).expect("a small frame").to_be_bytes();
    let mut frame = length[1..].to_vec();
    frame.extend([kind, flags]);
    frame.extend(stream.to_be_bytes());
    frame.extend(payload);
    frame
}

/// Header fields in HPACK without a table: literals with new names.
pub(crate) fn fields<'a>(fields: impl IntoIterator<Item = &'a (&'a str, &'a str)>) -> Vec<u8> {
    let text = |text: &str| [integer(text.len()), text.as_bytes().to_vec()].concat();
    fields.into_iter().flat_map(|(name, value)| [vec![0], text(name), text(value)].concat()).collect()
}

/// An HPACK integer with a prefix of 7 bits.
fn integer(number: usize) -> Vec<u8> {
    const PREFIX: usize = 127;
    let Some(mut rest) = number.checked_sub(PREFIX) else { return vec![low_bits(number)] };
    let mut bytes = vec![low_bits(PREFIX)];
    while rest >= 128 {
        bytes.push(low_bits(rest % 128) | 128);
        rest /= 128;
    }
    bytes.push(low_bits(rest));
    bytes
}

fn low_bits(number: usize) -> u8 {
    u8::try_from(number).expect("below 128")
}

async fn answer_pings(mut reader: OwnedReadHalf, writer: &Mutex<OwnedWriteHalf>, answered: &Notify) {
    let mut head = [0; 9];
    while reader.read_exact(&mut head).await.is_ok() {
        let length = u32::from_be_bytes([0, head[0], head[1], head[2]]);
        let mut payload = vec![0; length as usize];
        if reader.read_exact(&mut payload).await.is_err() {
            return;
        }
        if head[3] == HEADERS {
            answered.notify_one();
        }
        if head[3] == PING && head[4] & ACKNOWLEDGE == 0 {
            let _ = writer.lock().await.write_all(&frame(PING, ACKNOWLEDGE, 0, &payload)).await;
        }
    }
}
