//! Documents as large as one wants them.

/// A document of so many bytes.
pub(super) fn greeting(length: usize) -> String {
    let without_name = "{ hello(name: \"\") }";
    format!("{{ hello(name: \"{}\") }}", "x".repeat(length - without_name.len()))
}

pub(super) fn nested(levels: usize) -> String {
    format!("{{ {}value{} }}", "nested { ".repeat(levels - 1), " }".repeat(levels - 1))
}

pub(super) fn aliases(count: usize) -> String {
    format!("{{ {} }}", many(count, |n| format!("a{n}: hello ")))
}

pub(super) fn directives(count: usize) -> String {
    format!("{{ {} }}", "hello @include(if: true) ".repeat(count))
}

/// Fragments in a row, each of which spreads the next twice.
pub(super) fn bomb(rows: usize) -> String {
    let row = |at| format!("fragment F{at} on Query {{ ...F{next} ...F{next} }} ", next = at + 1);
    format!("{{ ...F0 }} {}fragment F{rows} on Query {{ hello }}", many(rows, row))
}

/// Fragments in a row, each of which spreads the next.
pub(super) fn chain(rows: usize) -> String {
    let row = |at| format!("fragment F{at} on Query {{ ...F{} }} ", at + 1);
    format!("{{ ...F0 }} {}fragment F{rows} on Query {{ hello }}", many(rows, row))
}

pub(super) fn lists(count: usize, length: usize) -> String {
    format!("{{ {} }}", format!("sum(numbers: [{}]) ", "1 ".repeat(length)).repeat(count))
}

pub(super) fn pages(count: usize) -> String {
    let page = |n| format!("a{n}: page(first: 100) {{ value nested {{ value }} }} ");
    format!("{{ {} }}", many(count, page))
}

fn many(count: usize, one: impl Fn(usize) -> String) -> String {
    (0..count).map(one).collect::<Vec<_>>().concat()
}
