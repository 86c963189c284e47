//! No string, comment or sign hides from the scan a bracket that the parser sees. A hidden bracket would show as the
//! parser's error that it ran out of stack, and closed brackets would overflow it in the next step.

use async_graphql::parser::parse_query;
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
