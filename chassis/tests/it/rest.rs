//! Bodies of the predecessor's endpoints.

use std::io;

use axum::{
    body::{Body, Bytes},
    extract::Request,
    http::Method,
    response::IntoResponse,
};
use chassis::rest::Fields;
use futures_util::{StreamExt, stream};

fn request(body: Body) -> Request {
    Request::builder().method(Method::POST).uri("/").body(body).expect("a request")
}

/// The status with which the body is refused.
async fn refusal(body: Body) -> u16 {
    Fields::read(request(body)).await.expect_err("refused").into_response().status().as_u16()
}

#[tokio::test(start_paused = true)]
async fn a_body_that_does_not_end_within_10_s_is_refused() {
    let start = stream::iter([Ok::<_, io::Error>(Bytes::from_static(b"{"))]);
    let began = tokio::time::Instant::now();
    assert_eq!(refusal(Body::from_stream(start.chain(stream::pending()))).await, 408);
    assert_eq!(began.elapsed().as_secs(), 10);
}

#[tokio::test]
async fn a_body_that_breaks_off_is_not_called_too_large() {
    let cut = stream::iter([Ok(Bytes::from_static(b"{")), Err(io::Error::other("gone"))]);
    assert_eq!(refusal(Body::from_stream(cut)).await, 400);
}
