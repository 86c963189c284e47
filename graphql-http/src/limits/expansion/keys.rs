//! The names under which the fields of objects answer, fragments unfolded.

use crate::graphql::limits::MAX_SELECTIONS;

/// Most documents have fewer, and are measured without taking memory again.
const ROOM: usize = 32;

/// Those of the objects that are being measured: a stack, the innermost object last.
#[derive(Debug)]
pub(super) struct Keys<'a> {
    stack: Vec<&'a str>,
    added: usize,
}

impl Default for Keys<'_> {
    fn default() -> Self {
        Self { stack: Vec::with_capacity(ROOM), added: 0 }
    }
}

impl<'a> Keys<'a> {
    /// Where the keys of an object begin.
    pub(super) fn mark(&self) -> usize {
        self.stack.len()
    }

    pub(super) fn since(&self, mark: usize) -> &[&'a str] {
        &self.stack[mark..]
    }

    /// Each key stands for a selection. A document of more selections than are allowed is refused for them, so that
    /// its keys need no more time.
    pub(super) fn add(&mut self, keys: &[&'a str]) {
        if self.added <= MAX_SELECTIONS {
            self.added += keys.len();
            self.stack.extend(keys);
        }
    }

    /// An object is measured. Returns how often its most frequent key is there.
    pub(super) fn forget(&mut self, mark: usize) -> usize {
        let keys = &mut self.stack[mark..];
        keys.sort_unstable();
        let most = keys.chunk_by(|one, other| one == other).map(<[_]>::len).max();
        self.stack.truncate(mark);
        most.unwrap_or_default()
    }
}
