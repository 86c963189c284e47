//! The body of a response that is logged. Operations whose outcomes are events run while it is read.

use std::{
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, ready},
};

use axum::body::{Body, Bytes};
use hyper::body::{Body as HttpBody, Frame, SizeHint};

use super::request::{CURRENT, Current, Request};

pub(super) struct LoggedBody {
    pub(super) body: Body,
    pub(super) request: Arc<Request>,
}

impl HttpBody for LoggedBody {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Self::Data>, Self::Error>>> {
        let Self { body, request } = &mut *self;
        let frame = ready!(CURRENT.sync_scope(Current::of(request), || Pin::new(body).poll_frame(cx)));
        if let Some(bytes) = frame.as_ref().and_then(|frame| frame.as_ref().ok()?.data_ref()) {
            request.note(|noted| noted.bytes += bytes.len() as u64);
        }
        Poll::Ready(frame)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

/// A subscription ends with the body.
impl Drop for LoggedBody {
    fn drop(&mut self) {
        let body = std::mem::take(&mut self.body);
        CURRENT.sync_scope(Current::of(&self.request), || drop(body));
    }
}
