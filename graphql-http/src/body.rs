//! Bodies of requests: read whole, in bounded memory, and refused by the one thing that is wrong with them.

use axum::{
    body::{Body, Bytes},
    http::{HeaderMap, header},
};
use http_body_util::{BodyExt, LengthLimitError, Limited};

/// Some programs put it before JSON; it says nothing that UTF-8 does not.
const BYTE_ORDER_MARK: &[u8] = b"\xEF\xBB\xBF";

/// Why a body was not read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum NotRead {
    /// It comes in this content coding; none is undone here.
    Encoded(String),
    /// It is longer than the limit.
    TooLarge,
    /// The client broke off, or sent something else than it announced.
    Broken(String),
}

/// Reads a body of at most `limit` bytes.
pub(crate) async fn read(headers: &HeaderMap, body: Body, limit: usize) -> Result<Bytes, NotRead> {
    if let Some(coding) = coding(headers) {
        return Err(NotRead::Encoded(coding));
    }
    let read = Limited::new(body, limit).collect().await;
    let body = read.map_err(|error| match error.downcast_ref::<LengthLimitError>() {
        Some(_) => NotRead::TooLarge,
        None => NotRead::Broken(error.to_string()),
    })?;
    let body = body.to_bytes();
    Ok(if body.starts_with(BYTE_ORDER_MARK) { body.slice(BYTE_ORDER_MARK.len()..) } else { body })
}

/// The content codings that are named, but for `identity`, which is none.
fn coding(headers: &HeaderMap) -> Option<String> {
    let named =
        headers.get_all(header::CONTENT_ENCODING).iter().map(|coding| String::from_utf8_lossy(coding.as_bytes()));
    let named: Vec<_> = named.collect();
    let named = named.join(", ");
    let is_identity =
        named.split(',').all(|coding| matches!(coding.trim().to_ascii_lowercase().as_str(), "" | "identity"));
    (!is_identity).then_some(named)
}
