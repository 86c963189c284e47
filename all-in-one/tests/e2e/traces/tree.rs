//! A trace as text.

use std::fmt::Write;

use testkit::TracedSpan;

/// The spans below `parent`, each with its service, kind, and what it is linked to.
pub(super) fn tree(spans: &[TracedSpan], parent: &str) -> String {
    let mut text = String::new();
    add(&mut text, spans, parent, 0);
    text
}

fn add(text: &mut String, spans: &[TracedSpan], parent: &str, depth: usize) {
    let mut children: Vec<_> = spans.iter().filter(|span| span.parent == parent).collect();
    children.sort_by_key(|span| &span.name);
    for span in children {
        let TracedSpan { service, name, kind, .. } = span;
        let linked = span.links.iter().map(|(_, id)| spans.iter().find(|span| span.id == *id));
        let linked = linked.map(|span| format!(", of {}", span.map_or("a stranger", |span| &span.name)));
        // Strings are infallible.
        let _ = writeln!(text, "{}{service}: {name}, {kind}{}", "  ".repeat(depth), linked.collect::<String>());
        add(text, spans, &span.id, depth + 1);
    }
}
