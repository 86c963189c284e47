//! Bugs that the chaos campaign switches on to see that its checker finds them: none without the feature.

/// Whether `SEEDED_BUG` names this one.
#[cfg(feature = "seeded-bugs")]
#[must_use]
pub fn is_seeded(bug: &str) -> bool {
    std::env::var("SEEDED_BUG").is_ok_and(|seeded| seeded == bug)
}

/// Never: the feature is off.
#[cfg(not(feature = "seeded-bugs"))]
#[must_use]
pub const fn is_seeded(_: &str) -> bool {
    false
}
