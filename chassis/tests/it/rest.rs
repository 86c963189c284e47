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
use graphql_http::Caller;
use rstest::rstest;

use crate::guarded::PERMISSIONS;

fn request(body: Body) -> Request {
    Request::builder().method(Method::POST).uri("/").extension(of("writer")).body(body).expect("a request")
}

/// The status with which the body is refused.
async fn refusal(body: Body) -> u16 {
    Fields::read(request(body), &PERMISSIONS, "touch").await.expect_err("refused").into_response().status().as_u16()
}

fn of(role: &'static str) -> Caller {
    Caller { name: "ana".into(), roles: [role].into(), ..Caller::default() }
}

#[rstest]
#[case::with_another_role(Some("reader"), "touch", "touch needs the role writer; ana has reader")]
#[case::for_a_mutation_without_a_rule(Some("writer"), "erase", "erase needs the role -; ana has writer")]
#[case::that_is_anonymous(None, "touch", "touch needs the role writer;  has no role")]
#[tokio::test]
async fn a_caller_without_the_role_is_refused_before_the_body_is_read(
    #[case] role: Option<&'static str>,
    #[case] mutation: &str,
    #[case] message: &str,
) {
    let mut request = request(Body::from_stream(stream::pending::<io::Result<Bytes>>()));
    request.extensions_mut().clear();
    if let Some(role) = role {
        request.extensions_mut().insert(of(role));
    }
    let refused = Fields::read(request, &PERMISSIONS, mutation).await.expect_err("refused").into_response();
    assert_eq!(refused.status().as_u16(), 403);
    let body = axum::body::to_bytes(refused.into_body(), usize::MAX).await.expect("a body");
    assert_eq!(serde_json::from_slice::<String>(&body).expect("a text"), message);
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
