//! A cache of parsed documents. Clients repeat the same few, and parsing one takes about as long as the rest of its
//! request.

use std::sync::Arc;

use async_graphql::{Request, parser::types::ExecutableDocument};

use crate::{bad_request::BadRequest, limits, memory::Memory};

/// Bytes of all parsed documents: hundreds of an application's.
const MAX_BYTES: usize = 8 * 1024 * 1024;
const MAX_COUNT: usize = 1_000;
/// Bytes of a remembered document: a few larger ones would push out all others. The introspection of explorers takes 85
/// kB.
const MAX_DOCUMENT: usize = 256 * 1024;
/// Bytes of a parsed token beside its text, at most. A field without arguments is one token: a selection of 184 bytes
/// and an allocated name with two reference counts.
const TOKEN: usize = 232;

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
    /// Parses the request's document, or takes it from the cache. Returns the bytes of a new one.
    pub(crate) fn parse(&self, request: &mut Request) -> Result<Option<usize>, BadRequest> {
        if let Some(document) = self.0.recall(&request.query) {
            request.set_parsed_query(ExecutableDocument::clone(&document));
            return Ok(None);
        }
        let tokens = limits::scan(&request.query)?;
        request.parsed_query().map_err(|error| BadRequest::unparsable(&error))?;
        // The text is the key, and its names are in the document again.
        Ok(Some(2 * request.query.len() + tokens * TOKEN))
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
    pub(crate) fn of(request: &mut Request, bytes: usize) -> Option<Self> {
        let text = request.query.clone();
        let document = request.parsed_query().ok().filter(|_| bytes <= MAX_DOCUMENT)?;
        Some(Self { text, document: Arc::new(document.clone()), bytes })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run(parsed: &Parsed, text: &str) -> bool {
        let mut request = Request::new(text);
        let new = parsed.parse(&mut request).expect("a document");
        let document = request.parsed_query().expect("it is parsed");
        assert_eq!((document.operations.iter().count(), document.fragments.len()), (1, 1));
        if let Some(new) = new.and_then(|bytes| NewlyParsed::of(&mut request, bytes)) {
            parsed.remember(new);
        }
        new.is_none()
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
