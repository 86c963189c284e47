//! Documents that were parsed before. A client sends the same few again and again, and parsing one takes about
//! as long as all the rest that is done for it.

use std::sync::Arc;

use async_graphql::{Request, parser::types::ExecutableDocument};

use super::{bad_request::BadRequest, limits, memory::Memory};

/// Bytes of text. Parsed, a document takes some ten times as much.
const MAX_BYTES: usize = 1024 * 1024;
const MAX_COUNT: usize = 1_000;
/// A longer one is parsed each time: few of them would push out all others.
const MAX_DOCUMENT: usize = 8 * 1024;

#[derive(Debug)]
pub(super) struct Parsed(Memory<Arc<ExecutableDocument>>);

impl Default for Parsed {
    fn default() -> Self {
        Self(Memory::new(MAX_BYTES, MAX_COUNT))
    }
}

impl Parsed {
    /// Parses the request's document, if it is not too large for that and none like it was parsed before.
    pub(super) fn parse<'a>(&self, request: &'a mut Request) -> Result<&'a ExecutableDocument, BadRequest> {
        if let Some(document) = self.0.recall(&request.query) {
            request.set_parsed_query(ExecutableDocument::clone(&document));
        } else {
            limits::scan(&request.query).map_err(|excess| BadRequest::too_large(&excess))?;
            let document = request.parsed_query().map_err(|error| BadRequest::unparsable(&error))?.clone();
            if request.query.len() <= MAX_DOCUMENT {
                self.0.remember(request.query.clone(), Arc::new(document), request.query.len());
            }
        }
        request.parsed_query().map_err(|error| BadRequest::unparsable(&error))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_document_that_was_parsed_before_is_the_same_again() {
        let parsed = Parsed::default();
        for _ in 0..2 {
            let mut request = Request::new("query Q($id: ID!) { a: b(id: $id) { ...F } } fragment F on B { c }");
            let document = parsed.parse(&mut request).expect("a document");
            assert_eq!((document.operations.iter().count(), document.fragments.len()), (1, 1));
        }
        assert_eq!(parsed.0.size().1, 1);
    }

    #[test]
    fn neither_long_documents_nor_malformed_ones_are_remembered() {
        let parsed = Parsed::default();
        assert!(parsed.parse(&mut Request::new(format!("{{ a }}{}", " ".repeat(MAX_DOCUMENT)))).is_ok());
        assert!(parsed.parse(&mut Request::new("{ a")).is_err());
        assert_eq!(parsed.0.size().1, 0);
    }
}
