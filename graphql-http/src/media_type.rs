//! The media type of a response, which also decides its status.

use axum::http::{HeaderMap, HeaderValue, header};

use crate::accept::preferences;

/// The media types of a response.
#[derive(Clone, Copy, Debug)]
pub(crate) enum MediaType {
    /// `application/graphql-response+json`: the status tells whether the operation was executed.
    GraphqlResponse,
    /// `application/json`: for older clients, which take any status but 200 for a broken connection.
    Json,
}

impl MediaType {
    /// The type that the Accept header prefers; JSON without one.
    pub(crate) fn negotiate(headers: &HeaderMap) -> Option<Self> {
        let has_element = |accept: &HeaderValue| accept.to_str().is_ok_and(|accept| accept.split(',').any(is_element));
        if !headers.get_all(header::ACCEPT).iter().any(has_element) {
            return Some(Self::Json);
        }
        let known =
            preferences(headers, header::ACCEPT).filter_map(|(range, quality)| Some((Self::of(&range)?, quality)));
        let best = known.reduce(|best, other| if other.1 > best.1 { other } else { best });
        best.map(|(media_type, _)| media_type)
    }

    fn of(range: &str) -> Option<Self> {
        match range {
            "application/graphql-response+json" => Some(Self::GraphqlResponse),
            "application/json" | "application/*" | "*/*" => Some(Self::Json),
            _ => None,
        }
    }

    pub(crate) fn content_type(self) -> HeaderValue {
        HeaderValue::from_static(match self {
            Self::GraphqlResponse => "application/graphql-response+json; charset=utf-8",
            Self::Json => "application/json; charset=utf-8",
        })
    }
}

fn is_element(element: &str) -> bool {
    !element.trim().is_empty()
}
