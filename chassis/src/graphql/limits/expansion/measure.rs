//! How large an expansion is, and whether that is too large.

use crate::graphql::limits::{
    Excess, MAX_ALIASES, MAX_COMPLEXITY, MAX_DEPTH, MAX_DIRECTIVES, MAX_LEVELS, MAX_SELECTIONS,
};

#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Measure {
    pub(super) levels: usize,
    pub(super) depth: usize,
    /// Lists of the introspection within each other.
    pub(super) lists: usize,
    pub(super) selections: usize,
    pub(super) aliases: usize,
    pub(super) directives: usize,
    /// Values of entities that a gateway asks for.
    pub(super) entities: usize,
}

impl Measure {
    pub(super) fn beside(self, other: Self) -> Self {
        Self {
            levels: self.levels.max(other.levels),
            depth: self.depth.max(other.depth),
            lists: self.lists.max(other.lists),
            selections: self.selections.saturating_add(other.selections),
            aliases: self.aliases.saturating_add(other.aliases),
            directives: self.directives.saturating_add(other.directives),
            entities: self.entities.saturating_add(other.entities),
        }
    }

    pub(super) fn within_limits(self) -> Result<(), Excess> {
        match self {
            Self { selections, .. } if selections > MAX_SELECTIONS => Err(Excess::Selections(selections)),
            Self { depth, .. } if depth > MAX_DEPTH => Err(Excess::Depth(depth)),
            Self { levels, .. } if levels > MAX_LEVELS => Err(Excess::Levels),
            Self { aliases, .. } if aliases > MAX_ALIASES => Err(Excess::Aliases(aliases)),
            Self { directives, .. } if directives > MAX_DIRECTIVES => Err(Excess::Directives(directives)),
            Self { entities, .. } if entities > MAX_COMPLEXITY => Err(Excess::Complexity),
            _ => Ok(()),
        }
    }
}
