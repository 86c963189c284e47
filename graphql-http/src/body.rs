//! Request bodies, read whole in bounded memory.

use axum::{
    body::{Body, Bytes},
    http::{HeaderMap, header},
};
use http_body_util::{BodyExt, LengthLimitError, Limited};

/// Some programs write it before JSON. In UTF-8 it has no meaning.
const BYTE_ORDER_MARK: &[u8] = b"\xEF\xBB\xBF";

/// The reason why a body was not read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum BodyError {
    /// It has this content coding. None is supported.
    Encoded(String),
    /// It is longer than the limit.
    TooLarge,
    /// The client aborted, or sent something else than it announced.
    Broken(String),
}

/// Reads a body of at most `limit` bytes and removes a byte order mark.
///
/// # Errors
/// The reason why it was not read.
pub async fn read(headers: &HeaderMap, body: Body, limit: usize) -> Result<Bytes, BodyError> {
    if let Some(coding) = coding(headers) {
        return Err(BodyError::Encoded(coding));
    }
    let read = Limited::new(body, limit).collect().await;
    let body = read.map_err(|error| match error.downcast_ref::<LengthLimitError>() {
        Some(_) => BodyError::TooLarge,
        None => BodyError::Broken(error.to_string()),
    })?;
    let body = body.to_bytes();
    Ok(if body.starts_with(BYTE_ORDER_MARK) { body.slice(BYTE_ORDER_MARK.len()..) } else { body })
}

/// The content codings of the header, unless all are `identity`.
fn coding(headers: &HeaderMap) -> Option<String> {
    let named =
        headers.get_all(header::CONTENT_ENCODING).iter().map(|coding| String::from_utf8_lossy(coding.as_bytes()));
    let named: Vec<_> = named.collect();
    let named = named.join(", ");
    let is_identity =
        named.split(',').all(|coding| matches!(coding.trim().to_ascii_lowercase().as_str(), "" | "identity"));
    (!is_identity).then_some(named)
}
