//! No string, comment or sign hides from the scan a bracket that the parser sees. A hidden bracket would show as the
//! parser's error that it ran out of stack, and closed brackets would overflow it in the next step.

use async_graphql::parser::{parse_query, types::Selection};
use async_graphql_value::Value;
use proptest::{collection::vec, prelude::*, sample::select};

use super::scan;

/// Delimiters of strings and comments, and texts that resemble them.
const PIECES: [&str; 20] = [
    "\"", "\"\"", "\"\"\"", "\\", "\\\"", "\\\"\"\"", "\\u0022", "#", "\n", "\r", "[", "]", "{a:", "}", "1", "-a", " ",
    "\u{feff}", "\u{e9}", "$a",
];

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]
    #[test]
    fn nothing_hides_brackets_from_the_scan(pieces in vec(select(&PIECES[..]), 0..12), context in 0..3) {
        let start = ["{a(b:[", "query($a:A=[", ""][usize::try_from(context).expect("small")];
        let document = format!("{start}{}{}", pieces.concat(), "[".repeat(10_000));
        if scan(&document).is_ok() {
            let error = parse_query(&document).expect_err("it does not end").to_string();
            prop_assert!(!error.contains("stack limit reached"), "{pieces:?}");
        }
    }
}

#[test]
fn words_count_as_many_tokens_as_the_parser_finds_in_them() {
    for (word, values) in [("0000", 4), ("-0-0", 2), ("1-1", 2), ("10", 1), ("1.5", 1), ("1e+5", 1), ("a0b", 1)] {
        let document = format!("{{ a(b: [{word}]) }}");
        let tokens = scan(&document).expect("small") - "{ a ( b : [ ] ) }".split(' ').count();
        let parsed = parse_query(&document).expect("a document");
        let (_, operation) = parsed.operations.iter().next().expect("an operation");
        let Selection::Field(field) = &operation.node.selection_set.node.items[0].node else { panic!("a field") };
        let Value::List(list) = &field.node.arguments[0].1.node else { panic!("a list") };
        assert_eq!(list.len(), values, "{word}");
        assert!((values..=values + 2).contains(&tokens), "{word}: {tokens}");
    }
    assert_eq!(scan("{ ...F }").expect("small"), 3);
}
