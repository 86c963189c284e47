//! Documents that would end the process or keep it busy are refused at once.

use std::time::Duration;

use nix::time::ClockId;
use rstest::rstest;
use serde_json::{Value, json};
use testkit::Answer;

use super::{
    api::{self, Api},
    large::{bomb, chain, pages},
};

/// Longest processor time of a refusal. Client and service share this thread, and other load of the machine does not
/// count. The first tries may have to fill caches, so the best one counts.
const AT_ONCE: Duration = Duration::from_millis(50);
const TRIES: usize = 10;

/// The response, and the least processor time that it took.
async fn at_best(api: &Api, request: &Value) -> (Answer, Duration) {
    let (mut answer, mut best) = (api.post_json(json!({ "query": "{ hello }" })).await, Duration::MAX);
    for _ in 0..TRIES {
        let start = processor_time();
        answer = api.post_json(request.clone()).await;
        best = best.min(processor_time().saturating_sub(start));
        if best < AT_ONCE {
            break;
        }
    }
    (answer, best)
}

fn processor_time() -> Duration {
    ClockId::CLOCK_THREAD_CPUTIME_ID.now().expect("a clock").into()
}

/// A document of almost 250 KiB: `start`, then `more` repeatedly.
fn flood(start: &str, more: &str) -> String {
    let mut flood = start.to_owned();
    while flood.len() + more.len() < 250 * 1024 {
        flood += more;
    }
    flood
}

/// A flood of the largest size that is read, for the other limits.
fn short_flood(start: &str, more: &str) -> String {
    let mut flood = flood(start, more);
    flood.truncate(64 * 1024);
    flood
}

#[rstest]
#[case::braces("", "{")]
#[case::selections("", "{a")]
#[case::inline_fragments("", "{...")]
#[case::lists("{a(b:", "[")]
#[case::objects("{a(b:", "{b:")]
#[case::arguments("", "{a(b:1)")]
#[case::types("query($a:", "[")]
#[case::defaults("query($a:A=", "[")]
#[case::defaults_of_objects("query($a:A=", "{a:")]
#[case::lists_behind_a_text("{a(b:\"\\\"\" c:", "[")]
#[case::lists_behind_a_block("{a(b:\"\"\"\\\"\"\"\"\"\" c:", "[")]
#[case::lists_behind_a_comment("{a(#\"\rb:", "[")]
#[case::directives("{a", "@a")]
#[case::names("{", "a ")]
#[case::aliases("{", "a:a ")]
#[case::operations("", "query A{a}")]
#[case::fragments("", "fragment A on A{a}")]
#[tokio::test]
async fn a_flood_is_refused_at_once(
    #[values(flood, short_flood)] flood: fn(&str, &str) -> String,
    #[case] start: &str,
    #[case] more: &str,
) {
    let api = api::serve();
    let (answer, took) = at_best(&api, &json!({ "query": flood(start, more) })).await;
    assert_eq!((answer.code(), answer.body.get("data")), ("OPERATION_TOO_LARGE", None), "{}", answer.body);
    assert!(took < AT_ONCE, "{took:?}");
}

#[rstest]
#[case::marks("query($a:A!", "!")]
#[case::a_block_that_does_not_end("{a(b:\"\"\"\"x\" c:", "[")]
#[case::a_text_that_does_not_end("{a(b:\"\n c:", "[")]
#[case::a_text_of_quotes("{a(b:", "\"\"")]
#[case::signs("{a?", "[")]
#[tokio::test]
async fn a_flood_of_no_graphql_is_refused_at_once(#[case] start: &str, #[case] more: &str) {
    let api = api::serve();
    let flood: String = short_flood(start, more).chars().take(60_000).collect();
    let (answer, took) = at_best(&api, &json!({ "query": flood })).await;
    assert!(["GRAPHQL_PARSE_FAILED", "OPERATION_TOO_LARGE"].contains(&answer.code()), "{}", answer.body);
    assert!(took < AT_ONCE, "{took:?}");
}

#[rstest]
#[case::a_bomb(bomb(20))]
#[case::a_bomb_of_the_longest_kind(bomb(300))]
#[case::a_chain_of_fragments(chain(500))]
#[case::a_bomb_that_no_operation_throws(bomb(25).replacen("{ ...F0 }", "{ hello }", 1))]
#[case::introspection_in_circles(format!(
    "{{ __schema {{ types {{ {}name{} }} }} }}",
    "fields { type { ".repeat(10),
    " } }".repeat(10)
))]
#[case::pages_of_pages(pages(30))]
#[tokio::test]
async fn a_small_document_with_a_large_meaning_is_refused_at_once(#[case] document: String) {
    let api = api::serve();
    let (answer, took) = at_best(&api, &json!({ "query": document })).await;
    assert_eq!((answer.code(), answer.body.get("data")), ("OPERATION_TOO_LARGE", None), "{}", answer.body);
    assert!(took < AT_ONCE, "{took:?}");
}

#[rstest]
#[case::a_list(1_001, 1)]
#[case::lists_in_lists(1_000, 10)]
#[tokio::test]
async fn variables_that_are_too_large_are_refused_at_once(#[case] length: usize, #[case] lists: usize) {
    let api = api::serve();
    let query = "query ($numbers: [Int!]!) { sum(numbers: $numbers) }";
    let request = json!({ "query": query, "variables": { "numbers": vec![vec![1; length]; lists] } });
    let (answer, took) = at_best(&api, &request).await;
    assert_eq!((answer.code(), answer.body.get("data")), ("OPERATION_TOO_LARGE", None), "{}", answer.body);
    assert!(took < AT_ONCE, "{took:?}");
}

#[rstest]
#[case::itself("{ ...A } fragment A on Query { ...A ...A }")]
#[case::each_other("{ ...A } fragment A on Query { ...B ...B } fragment B on Query { nested { ...A } ...A }")]
#[case::in_what_no_operation_needs("{ hello } fragment A on Query { ...B ...B } fragment B on Query { ...A ...A }")]
#[tokio::test]
async fn fragments_in_circles_are_invalid_and_unfold_to_nothing(#[case] document: &str) {
    let api = api::serve();
    let (answer, took) = at_best(&api, &json!({ "query": document })).await;
    assert_eq!((answer.code(), answer.body.get("data")), ("GRAPHQL_VALIDATION_FAILED", None), "{}", answer.body);
    assert!(took < AT_ONCE, "{took:?}");
}
