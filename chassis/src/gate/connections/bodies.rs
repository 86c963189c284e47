//! Bodies of requests and answers that tell their connection what goes on.
//!
//! An answer's bytes count from the moment that HTTP/1 or HTTP/2 holds them until the socket takes them. So a client
//! that does not read is found out in any protocol, also behind an HTTP/2 window of zero, which blocks no socket.

use std::{
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, ready},
};

use axum::body::Body;
use hyper::body::{Body as HttpBody, Buf, Bytes, Frame, Incoming, SizeHint};

use super::peer::{InProgress, Peer};

/// The body of a request.
pub(super) struct Received {
    pub(super) incoming: Incoming,
    pub(super) peer: Arc<Peer>,
}

impl HttpBody for Received {
    type Data = Bytes;
    type Error = hyper::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Self::Data>, Self::Error>>> {
        let frame = ready!(Pin::new(&mut self.incoming).poll_frame(cx));
        let has_data = |frame: &Frame<Bytes>| frame.data_ref().is_some_and(|data| !data.is_empty());
        if matches!(&frame, Some(Ok(frame)) if has_data(frame)) {
            self.peer.allowance.renew();
        }
        Poll::Ready(frame)
    }

    fn is_end_stream(&self) -> bool {
        self.incoming.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.incoming.size_hint()
    }
}

/// The body of an answer.
pub(super) struct Answer {
    pub(super) body: Body,
    pub(super) request: InProgress,
}

impl HttpBody for Answer {
    type Data = Part;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Self::Data>, Self::Error>>> {
        let frame = ready!(Pin::new(&mut self.body).poll_frame(cx));
        let peer = &self.request.0;
        Poll::Ready(frame.map(|frame| frame.map(|frame| frame.map_data(|bytes| Part::new(bytes, Arc::clone(peer))))))
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

/// A part of an answer that waits for the client.
pub(super) struct Part {
    bytes: Bytes,
    number: u64,
    peer: Arc<Peer>,
}

impl Part {
    fn new(bytes: Bytes, peer: Arc<Peer>) -> Self {
        let number = peer.waiting(|waiting| waiting.add(bytes.len()));
        Self { bytes, number, peer }
    }
}

impl Buf for Part {
    fn remaining(&self) -> usize {
        self.bytes.len()
    }

    fn chunk(&self) -> &[u8] {
        &self.bytes
    }

    fn advance(&mut self, taken: usize) {
        self.bytes.advance(taken);
        self.peer.waiting(|waiting| waiting.take(self.number, taken));
        self.peer.allowance.renew();
    }
}

impl Drop for Part {
    fn drop(&mut self) {
        self.peer.waiting(|waiting| waiting.remove(self.number));
    }
}
