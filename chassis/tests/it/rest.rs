//! The endpoints of the predecessor: what holds for all of them.

use std::convert::Infallible;

use axum::{body::Body, http::Request, response::IntoResponse};
use chassis::rest::Fields;
use futures_util::stream;

#[tokio::test(start_paused = true)]
async fn a_body_that_comes_too_slowly_is_refused() {
    let drips = Body::from_stream(stream::pending::<Result<String, Infallible>>());
    let request = Request::post("/").header("content-type", "application/json").body(drips).expect("a request");
    let refused = Fields::read(request).await.expect_err("it does not come");
    assert_eq!(refused.into_response().status(), 408);
}
