//! Request and response bodies that report progress to their connection.
//!
//! Response bytes count from the moment that HTTP/1 or HTTP/2 holds them until the socket takes them. So a client that
//! does not read is detected in either protocol. An HTTP/2 window of zero, which blocks no socket, is no exception.

use std::{
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, ready},
};

use axum::body::Body;
use hyper::body::{Body as HttpBody, Buf, Bytes, Frame, Incoming, SizeHint};

use super::peer::{InProgress, Peer};

/// A request body.
pub(super) struct RequestBody {
    pub(super) incoming: Incoming,
    pub(super) peer: Arc<Peer>,
}

impl HttpBody for RequestBody {
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

/// A response body.
pub(super) struct ResponseBody {
    pub(super) body: Body,
    pub(super) request: InProgress,
}

impl HttpBody for ResponseBody {
    type Data = Chunk;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Self::Data>, Self::Error>>> {
        let frame = ready!(Pin::new(&mut self.body).poll_frame(cx));
        let peer = &self.request.0;
        Poll::Ready(frame.map(|frame| frame.map(|frame| frame.map_data(|bytes| Chunk::new(bytes, Arc::clone(peer))))))
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

/// A chunk of a response that waits for the client.
pub(super) struct Chunk {
    bytes: Bytes,
    number: u64,
    peer: Arc<Peer>,
}

impl Chunk {
    fn new(bytes: Bytes, peer: Arc<Peer>) -> Self {
        let number = peer.waiting(|waiting| waiting.add(bytes.len()));
        Self { bytes, number, peer }
    }
}

impl Buf for Chunk {
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

impl Drop for Chunk {
    fn drop(&mut self) {
        self.peer.waiting(|waiting| waiting.remove(self.number));
    }
}
