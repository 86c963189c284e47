//! How large an expansion is, and whether that is too large.

use crate::graphql::limits::{
    COUNT_COST, Excess, MAX_ALIASES, MAX_COMPLEXITY, MAX_DEPTH, MAX_DIRECTIVES, MAX_LEVELS, MAX_REPEATS,
    MAX_ROOT_FIELDS, MAX_SELECTIONS,
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
    /// Fields of the outermost object; of several operations that of the one with most.
    pub(super) root_fields: usize,
    /// How often a field is in one object, at most.
    pub(super) repeats: usize,
    /// Totals of the outermost object, if it is a list.
    pub(super) totals: usize,
    /// Totals of lists that are filtered.
    pub(super) filtered_totals: usize,
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
            root_fields: self.root_fields.max(other.root_fields),
            repeats: self.repeats.max(other.repeats),
            totals: self.totals.saturating_add(other.totals),
            filtered_totals: self.filtered_totals.saturating_add(other.filtered_totals),
            entities: self.entities.saturating_add(other.entities),
        }
    }

    pub(super) fn within_limits(self) -> Result<(), Excess> {
        match self {
            Self { selections, .. } if selections > MAX_SELECTIONS => Err(Excess::Selections(selections)),
            Self { depth, .. } if depth > MAX_DEPTH => Err(Excess::Depth(depth)),
            Self { levels, .. } if levels > MAX_LEVELS => Err(Excess::Levels),
            Self { root_fields, .. } if root_fields > MAX_ROOT_FIELDS => Err(Excess::RootFields(root_fields)),
            Self { repeats, .. } if repeats > MAX_REPEATS => Err(Excess::Repeats(repeats)),
            Self { aliases, .. } if aliases > MAX_ALIASES => Err(Excess::Aliases(aliases)),
            Self { directives, .. } if directives > MAX_DIRECTIVES => Err(Excess::Directives(directives)),
            _ if self.unseen_complexity() > MAX_COMPLEXITY => Err(Excess::Complexity),
            _ => Ok(()),
        }
    }

    /// What async-graphql does not count: it makes the field of entities itself, and totals are of fragments that its
    /// counting does not show.
    fn unseen_complexity(self) -> usize {
        self.filtered_totals.saturating_mul(COUNT_COST).saturating_add(self.entities)
    }
}
