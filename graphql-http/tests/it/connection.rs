//! Pages of a list: which arguments are accepted.

use async_graphql::connection::{CursorType, OpaqueCursor};
use graphql_http::connection::Page;
use rstest::rstest;
use uuid::Uuid;

fn cursor(list: &str) -> String {
    OpaqueCursor(format!("{list}:{}", Uuid::nil())).encode_cursor()
}

#[rstest]
#[case::nothing(None, None)]
#[case::the_smallest(Some(1), None)]
#[case::the_largest(Some(100), None)]
#[case::the_largest_from_the_end(None, Some(100))]
fn a_page_has_1_to_100_rows(#[case] first: Option<i32>, #[case] last: Option<i32>) {
    assert!(Page::new("rows", first, Some(cursor("rows")), last, Some(cursor("rows"))).is_ok());
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
    let refused = Page::new("rows", first, after.map(str::to_owned), last, before.map(str::to_owned));
    let refused = refused.expect_err("refused");
    assert!(refused.message.starts_with(&format!("{argument}: ")), "{}", refused.message);
    let code = refused.extensions.as_ref().and_then(|extensions| extensions.get("code"));
    assert_eq!(code, Some(&"BAD_USER_INPUT".into()));
}

#[rstest]
#[case::of_another_list(cursor("others"))]
#[case::of_a_longer_name(cursor("rowsets"))]
#[case::of_no_list(OpaqueCursor(Uuid::nil()).encode_cursor())]
#[case::without_an_id(OpaqueCursor("rows:1".to_owned()).encode_cursor())]
fn a_cursor_of_another_list_is_refused_and_the_list_named(#[case] foreign: String) {
    let refused = Page::new("rows", None, Some(foreign), None, None).expect_err("refused");
    assert_eq!(refused.message, "after: want a cursor of rows, as its edges and its pageInfo have it");
}
