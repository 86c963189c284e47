//! Pages of a list: which arguments are accepted.

use async_graphql::connection::{CursorType, OpaqueCursor};
use graphql_http::connection::{List, Page};
use rstest::rstest;
use uuid::Uuid;

const ROWS: List = List { field: "rows", ordered_by: "MADE_AT", descending: true };

fn cursor(list: &str) -> String {
    OpaqueCursor(format!("{list}:1627905600123456:{}", Uuid::nil())).encode_cursor()
}

#[rstest]
#[case::nothing(None, None)]
#[case::the_smallest(Some(1), None)]
#[case::the_largest(Some(100), None)]
#[case::the_largest_from_the_end(None, Some(100))]
fn a_page_has_1_to_100_rows(#[case] first: Option<i32>, #[case] last: Option<i32>) {
    let cursor = || Some(cursor("rows:MADE_AT:DESC"));
    let page = Page::new(ROWS, first, cursor(), last, cursor()).expect("accepted");
    let key = page.after.expect("a key");
    assert_eq!((key.time.timestamp_micros(), key.id, page.before), (1_627_905_600_123_456, Uuid::nil(), page.after));
}

#[rstest]
#[case::both_ends(Some(1), None, Some(1), None, "first, last")]
#[case::no_rows(Some(0), None, None, None, "first")]
#[case::a_negative_number(Some(-1), None, None, None, "first")]
#[case::too_many(Some(101), None, None, None, "first")]
#[case::none_from_the_end(None, None, Some(0), None, "last")]
#[case::too_many_from_the_end(None, None, Some(101), None, "last")]
#[case::a_foreign_cursor_after(None, Some("MTIz"), None, None, "after")]
#[case::a_foreign_cursor_before(None, None, None, Some("MTIz"), "before")]
#[case::a_cursor_that_is_no_base64(None, Some("%%%"), None, None, "after")]
#[case::an_empty_cursor(None, Some(""), None, None, "after")]
#[case::an_id_for_a_cursor(None, Some("ea959b03-5577-45c9-b9f7-a45d3e77ce82"), None, None, "after")]
fn other_pages_are_refused_by_the_name_of_the_argument(
    #[case] first: Option<i32>,
    #[case] after: Option<&str>,
    #[case] last: Option<i32>,
    #[case] before: Option<&str>,
    #[case] argument: &str,
) {
    let refused = Page::new(ROWS, first, after.map(str::to_owned), last, before.map(str::to_owned));
    let refused = refused.expect_err("refused");
    assert!(refused.message.starts_with(&format!("{argument}: ")), "{}", refused.message);
    let code = refused.extensions.as_ref().and_then(|extensions| extensions.get("code"));
    assert_eq!(code, Some(&"BAD_USER_INPUT".into()));
}

#[rstest]
#[case::of_another_list(cursor("others:MADE_AT:DESC"))]
#[case::of_a_longer_name(cursor("rowsets:MADE_AT:DESC"))]
#[case::of_no_list(OpaqueCursor(Uuid::nil()).encode_cursor())]
#[case::without_an_order(cursor("rows"))]
#[case::without_an_id(OpaqueCursor("rows:MADE_AT:DESC:1:1".to_owned()).encode_cursor())]
#[case::without_a_time(OpaqueCursor(format!("rows:MADE_AT:DESC:noon:{}", Uuid::nil())).encode_cursor())]
#[case::of_a_time_beyond_all(OpaqueCursor(format!("rows:MADE_AT:DESC:{}:{}", i64::MAX, Uuid::nil())).encode_cursor())]
fn a_cursor_of_another_list_is_refused_and_the_list_named(#[case] foreign: String) {
    let refused = Page::new(ROWS, None, Some(foreign), None, None).expect_err("refused");
    assert_eq!(refused.message, "after: want a cursor of rows, as its edges and its pageInfo have it");
}

#[rstest]
#[case::of_another_direction("rows:MADE_AT:ASC")]
#[case::of_another_time("rows:SEEN_AT:DESC")]
#[case::of_an_unknown_direction("rows:MADE_AT:")]
fn a_cursor_of_another_order_is_refused_and_the_order_named(#[case] of: &str) {
    let refused = Page::new(ROWS, None, None, Some(1), Some(cursor(of))).expect_err("refused");
    assert_eq!(refused.message, "before: want a cursor of rows by MADE_AT DESC; this one is of another order");
}

#[test]
fn a_cursor_of_an_earlier_version_is_refused_as_such() {
    let old = OpaqueCursor(format!("rows:{}", Uuid::nil())).encode_cursor();
    let refused = Page::new(ROWS, None, Some(old), None, None).expect_err("refused");
    assert_eq!(refused.message, "after: this cursor of rows is of an earlier version; begin again without it");
}
