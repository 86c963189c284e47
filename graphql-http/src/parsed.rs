//! A cache of parsed documents. Clients repeat the same few, and parsing one takes about as long as the rest of its
//! request.

mod weight;

use std::sync::Arc;

use async_graphql::{Request, parser::types::ExecutableDocument};

use crate::{bad_request::BadRequest, limits, memory::Memory};
use weight::weight;

/// Bytes of all parsed documents: hundreds of an application's. One takes up to 140 times its text.
const MAX_BYTES: usize = 8 * 1024 * 1024;
const MAX_COUNT: usize = 1_000;
/// Bytes of a remembered document: a few larger ones would push out all others. The introspection of explorers takes 60 kB.
const MAX_DOCUMENT: usize = 256 * 1024;

#[derive(Debug)]
pub(crate) struct Parsed(Memory<Arc<ExecutableDocument>>);

/// A document that was not in the cache.
#[derive(Debug)]
pub(crate) struct NewlyParsed {
    text: String,
    document: Arc<ExecutableDocument>,
    bytes: usize,
}

impl Default for Parsed {
    fn default() -> Self {
        Self(Memory::new(MAX_BYTES, MAX_COUNT))
    }
}

impl Parsed {
    /// Parses the request's document, or takes it from the cache. Returns whether it was there.
    pub(crate) fn parse(&self, request: &mut Request) -> Result<bool, BadRequest> {
        if let Some(document) = self.0.recall(&request.query) {
            request.set_parsed_query(ExecutableDocument::clone(&document));
            return Ok(true);
        }
        limits::scan(&request.query)?;
        request.parsed_query().map(|_| false).map_err(|error| BadRequest::unparsable(&error))
    }

    /// Remembers a document that has run. An invalid one would take the place of others.
    pub(crate) fn remember(&self, NewlyParsed { text, document, bytes }: NewlyParsed) {
        self.0.remember(text, document, bytes);
    }

    #[cfg(test)]
    pub(crate) fn count(&self) -> usize {
        self.0.size().1
    }
}

impl NewlyParsed {
    /// The document of a request, unless it is too large to remember.
    pub(crate) fn of(request: &mut Request) -> Option<Self> {
        let text = request.query.clone();
        let document = request.parsed_query().ok()?;
        let bytes = text.len() + weight(document);
        (bytes <= MAX_DOCUMENT).then(|| Self { text, document: Arc::new(document.clone()), bytes })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run(parsed: &Parsed, text: &str) -> bool {
        let mut request = Request::new(text);
        let is_known = parsed.parse(&mut request).expect("a document");
        let document = request.parsed_query().expect("it is parsed");
        assert_eq!((document.operations.iter().count(), document.fragments.len()), (1, 1));
        if let (false, Some(new)) = (is_known, NewlyParsed::of(&mut request)) {
            parsed.remember(new);
        }
        is_known
    }

    #[test]
    fn a_document_that_has_run_is_not_parsed_again() {
        let parsed = Parsed::default();
        let text = "query Q($id: ID!) { a: b(id: $id) { ...F } } fragment F on B { c }";
        assert_eq!([run(&parsed, text), run(&parsed, text), run(&parsed, text)], [false, true, true]);
        assert_eq!(parsed.count(), 1);
    }

    #[test]
    fn what_takes_much_is_not_remembered_and_what_cannot_be_parsed_is_refused() {
        let parsed = Parsed::default();
        let text = format!("{{ a {{ {} }} }} fragment F on A {{ b }}", "b ".repeat(1_500));
        assert!(text.len() < 4 * 1024 && !run(&parsed, &text) && !run(&parsed, &text));
        assert!(parsed.parse(&mut Request::new("{ a")).is_err());
        assert_eq!(parsed.count(), 0);
    }
}
