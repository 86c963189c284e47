//! What right credentials are good for, and until when.

use axum::{
    body::{Body, HttpBody},
    response::Response,
};
use futures_util::StreamExt;
use tokio_util::sync::CancellationToken;

/// Credentials were right.
#[derive(Debug)]
pub(crate) struct Pass {
    /// Cancelled when the users have changed since.
    pub(crate) outdated: CancellationToken,
}

impl Pass {
    /// Ends a stream when the users have changed, as if the connection was lost: its client asks again, and is checked.
    pub(super) fn bound(self, response: Response) -> Response {
        if response.body().size_hint().exact().is_some() {
            return response;
        }
        let outdated = self.outdated.cancelled_owned();
        response.map(|body| Body::from_stream(body.into_data_stream().take_until(outdated)))
    }
}
