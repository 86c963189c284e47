//! Byte stream of a connection, with a limit on useless bytes. It holds its place until it ends, also as a WebSocket.

use std::{
    io,
    pin::Pin,
    sync::atomic::{AtomicUsize, Ordering},
    task::{Context, Poll, ready},
};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use super::peers::Place;

/// Bytes that a client may send before progress: a request, body data or window space for a response. HTTP/2 frames
/// such as PRIORITY only cost time. Twice the window for bodies.
const MAX_USELESS_BYTES: usize = 512 * 1024;

/// A connection that reads no more than its client may send.
pub(super) struct Stream<I> {
    pub(super) io: I,
    pub(super) place: Place,
}

/// Bytes that may still be read before a useful one.
#[derive(Debug)]
pub(super) struct Allowance(AtomicUsize);

impl Allowance {
    pub(super) fn new() -> Self {
        Self(AtomicUsize::new(MAX_USELESS_BYTES))
    }

    /// Resets the allowance after useful bytes.
    pub(super) fn renew(&self) {
        self.set(MAX_USELESS_BYTES);
    }

    /// Sets the allowance to `bytes`.
    pub(super) fn set(&self, bytes: usize) {
        self.0.store(bytes, Ordering::Relaxed);
    }

    /// Subtracts bytes that were read. Returns whether they were allowed.
    fn subtract(&self, bytes: usize) -> bool {
        let subtract = |allowed: usize| allowed.checked_sub(bytes);
        self.0.fetch_update(Ordering::Relaxed, Ordering::Relaxed, subtract).is_ok()
    }
}

impl<I: AsyncRead + Unpin> AsyncRead for Stream<I> {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        ready!(Pin::new(&mut self.io).poll_read(cx, buffer))?;
        if self.place.peer.allowance.subtract(buffer.filled().len() - before) {
            Poll::Ready(Ok(()))
        } else {
            Poll::Ready(Err(io::Error::other("the client sent too many bytes without a request among them")))
        }
    }
}

impl<I: AsyncWrite + Unpin> AsyncWrite for Stream<I> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.io).poll_write(cx, bytes)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.io).poll_write_vectored(cx, bytes)
    }

    fn is_write_vectored(&self) -> bool {
        self.io.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_shutdown(cx)
    }
}
