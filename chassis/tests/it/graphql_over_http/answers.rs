//! Answers as they are written.

use serde_json::json;

use super::api;

#[tokio::test]
async fn fields_come_in_the_order_of_the_query() {
    let api = api::serve();
    let body = json!({ "query": "{ z: hello(name: \"1\") a: hello(name: \"2\") __typename m: hello }" }).to_string();
    let request = api.client.post().header("content-type", "application/json").body(body);
    let text = request.send().await.expect("an answer").text().await.expect("a text");
    assert_eq!(text, r#"{"data":{"z":"hello 1","a":"hello 2","__typename":"Query","m":"hello world"}}"#);
}

#[tokio::test]
async fn the_sdl_is_served_as_it_is() {
    let answer = api::serve().client.get("/schema.graphql").send().await.expect("an answer");
    assert_eq!(answer.headers()["content-type"], "application/graphql; charset=utf-8");
    let sdl = answer.text().await.expect("a text");
    assert!(sdl.contains("touch: Int!"), "{sdl}");
}
