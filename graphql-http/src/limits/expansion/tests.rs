//! The measure of an expansion equals that of the document written out.

use std::collections::HashMap;

use async_graphql::{
    Variables,
    parser::{parse_query, types::ExecutableDocument},
};
use proptest::{collection::vec, prelude::*};

use super::{super::MAX_SELECTIONS, Excess, Measure, Sizes};

fn measure(document: &ExecutableDocument) -> Result<Measure, Excess> {
    let variables = Variables::default();
    super::measure(document, &Sizes::of(document, &variables)?)
}

/// A selection of a fragment. It spreads later fragments only, so there is no cycle.
#[derive(Clone, Debug)]
enum Piece {
    Field,
    Alias,
    Object(Vec<Piece>),
    Inline(Vec<Piece>),
    Spread(usize),
}

fn pieces() -> impl Strategy<Value = Vec<Piece>> {
    let leaf = prop_oneof![Just(Piece::Field), Just(Piece::Alias), (1_usize..4).prop_map(Piece::Spread)];
    let piece = leaf.prop_recursive(2, 8, 3, |inner| {
        prop_oneof![vec(inner.clone(), 1..3).prop_map(Piece::Object), vec(inner, 1..3).prop_map(Piece::Inline)]
    });
    vec(piece, 1..4)
}

/// The text of a selection, with a directive at each object.
fn text(pieces: &[Piece], at: usize, count: usize) -> String {
    let texts = pieces.iter().map(|piece| match piece {
        Piece::Object(within) => format!("o @d {{ {} }}", text(within, at, count)),
        Piece::Inline(within) => format!("... {{ {} }}", text(within, at, count)),
        Piece::Spread(ahead) if at + ahead < count => format!("...F{}", at + ahead),
        Piece::Alias => "a: b".to_owned(),
        Piece::Field | Piece::Spread(_) => "c".to_owned(),
    });
    texts.collect::<Vec<_>>().join(" ")
}

#[derive(Debug, Default, PartialEq)]
struct Naive {
    levels: usize,
    depth: usize,
    selections: usize,
    aliases: usize,
    directives: usize,
    root_fields: usize,
    repeats: usize,
}

/// How often each key is in an object, whatever fragment it comes from.
fn keys(fragments: &[Vec<Piece>], pieces: &[Piece], at: usize, counts: &mut HashMap<&'static str, usize>) {
    for piece in pieces {
        match piece {
            Piece::Inline(within) => keys(fragments, within, at, counts),
            Piece::Spread(ahead) if at + ahead < fragments.len() => {
                keys(fragments, &fragments[at + ahead], at + ahead, counts);
            }
            Piece::Object(_) => *counts.entry("o").or_default() += 1,
            Piece::Alias => *counts.entry("a").or_default() += 1,
            Piece::Field | Piece::Spread(_) => *counts.entry("c").or_default() += 1,
        }
    }
}

fn count_keys(fragments: &[Vec<Piece>], pieces: &[Piece], at: usize, sum: &mut Naive) -> usize {
    let mut counts = HashMap::new();
    keys(fragments, pieces, at, &mut counts);
    sum.repeats = counts.values().copied().fold(sum.repeats, usize::max);
    counts.values().sum()
}

/// Counts by visiting everything as often as it is spread.
fn naive(fragments: &[Vec<Piece>], pieces: &[Piece], at: usize, level: usize, depth: usize, sum: &mut Naive) {
    sum.levels = sum.levels.max(level);
    for piece in pieces {
        sum.selections += 1;
        match piece {
            Piece::Object(within) => {
                sum.directives += 1;
                sum.depth = sum.depth.max(depth + 1);
                count_keys(fragments, within, at, sum);
                naive(fragments, within, at, level + 1, depth + 1, sum);
            }
            Piece::Inline(within) => naive(fragments, within, at, level + 1, depth, sum),
            Piece::Spread(ahead) if at + ahead < fragments.len() => {
                naive(fragments, &fragments[at + ahead], at + ahead, level + 1, depth, sum);
            }
            Piece::Alias => {
                sum.aliases += 1;
                sum.depth = sum.depth.max(depth + 1);
            }
            Piece::Field | Piece::Spread(_) => sum.depth = sum.depth.max(depth + 1),
        }
    }
}

proptest! {
    #[test]
    fn the_measure_is_that_of_the_expanded_document(fragments in vec(pieces(), 1..6)) {
        let count = fragments.len();
        let definitions = fragments.iter().enumerate().map(|(at, pieces)| match at {
            0 => format!("{{ {} }}", text(pieces, 0, count)),
            at => format!("fragment F{at} on T {{ {} }}", text(pieces, at, count)),
        });
        // Fragments that the operation does not reach count by themselves: here it reaches all.
        let all = (1..count).map(|at| format!(" ...F{at}")).collect::<Vec<_>>().concat();
        let document = definitions.collect::<Vec<_>>().join("\n").replacen("{ ", &format!("{{{all} "), 1);
        let mut expected = Naive::default();
        let mut first: Vec<_> = (1..count).map(Piece::Spread).collect();
        first.extend(fragments[0].iter().cloned());
        naive(&fragments, &first, 0, 1, 0, &mut expected);
        expected.root_fields = count_keys(&fragments, &first, 0, &mut expected);

        let parsed = parse_query(&document).expect("a document");
        let got = measure(&parsed).expect("no cycle, and not too deep");
        if expected.selections > MAX_SELECTIONS {
            // It is refused for them: its keys are not counted.
            (expected.root_fields, expected.repeats) = (got.root_fields, got.repeats);
        }
        let got = Naive {
            levels: got.levels,
            depth: got.depth,
            selections: got.selections,
            aliases: got.aliases,
            directives: got.directives,
            root_fields: got.root_fields,
            repeats: got.repeats,
        };
        prop_assert_eq!(got, expected, "{}", document);
    }
}

#[test]
fn a_measure_that_no_number_holds_is_the_largest_number() {
    let row = |at| format!("fragment F{at} on T {{ {} }} ", format!("...F{} @d ", at + 1).repeat(8));
    let rows = (0..25).map(row).collect::<Vec<_>>().concat();
    let document = format!("query @d {{ a: b ...F0 ...F0 @d }} {rows} fragment F25 on T {{ a: b }}");
    let parsed = parse_query(&document).expect("a document");
    let measured = measure(&parsed).expect("no cycle");
    assert_eq!((measured.selections, measured.aliases, measured.directives), (usize::MAX, usize::MAX, usize::MAX));
}

#[test]
fn a_cycle_is_found_wherever_it_begins() {
    for document in [
        "{ ...A } fragment A on T { a { ...A } }",
        "{ ...A } fragment A on T { ...B } fragment B on T { ...C ...C } fragment C on T { x { ...A } ...B }",
        "{ a } fragment A on T { ...B ...B } fragment B on T { ...A ...A }",
    ] {
        let parsed = parse_query(document).expect("a document");
        assert!(matches!(measure(&parsed), Err(Excess::Cycle(_))), "{document}");
    }
}
