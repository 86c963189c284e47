//! Admission by valid credentials, and its end.

use axum::{
    body::{Body, HttpBody},
    response::Response,
};
use futures_util::StreamExt;
use tokio_util::sync::CancellationToken;

/// Proof of valid credentials.
#[derive(Debug)]
pub(crate) struct Pass {
    /// Cancelled when the users change.
    pub(crate) outdated: CancellationToken,
}

impl Pass {
    /// Ends a streamed response when the users change, as if the connection was lost: the client reconnects and is checked.
    pub(super) fn bound(self, response: Response) -> Response {
        if response.body().size_hint().exact().is_some() {
            return response;
        }
        let outdated = self.outdated.cancelled_owned();
        response.map(|body| Body::from_stream(body.into_data_stream().take_until(outdated)))
    }
}
