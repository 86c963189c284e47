//! The OpenAPI document of the predecessor's endpoints. The clients' suites lint it and send its examples.

use axum::http::Method;
use testkit::{Answer, Backend};

use crate::running::running;

#[tokio::test]
async fn the_openapi_document_names_the_endpoints_and_the_programs_version() {
    let Some(service) = running(Backend::Sqlite).await else { return };
    let document = Answer::of(service.client().request(Method::GET, "/openapi.json")).await.body;
    for (path, method) in [("/app/consultation/start", "post"), ("/app/consultation/finish", "put")] {
        assert!(document["paths"][path][method].is_object(), "{document}");
    }
    assert_eq!(document["info"]["version"], env!("CARGO_PKG_VERSION"));
}
