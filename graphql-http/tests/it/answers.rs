//! The exact texts of responses.

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

#[tokio::test]
async fn an_answer_of_over_1_mib_is_not_written() {
    let api = api::serve();
    let greetings = |count: usize| {
        let fields = (0..count).map(|n| format!("a{n}: hello(name: $name) ")).collect::<Vec<_>>().concat();
        json!({ "query": format!("query ($name: String!) {{ {fields} }}"), "variables": { "name": "x".repeat(250 * 1024) } })
    };
    assert_eq!(api.post_json(greetings(4)).await.body["data"]["a3"].as_str().map(str::len), Some(250 * 1024 + 6));
    let answer = api.post_json(greetings(5)).await;
    assert_eq!((answer.status, answer.code()), (200, "ANSWER_TOO_LARGE"), "{}", answer.body);
    assert_eq!(answer.body["data"], json!(null), "it ran");
}

#[tokio::test]
async fn errors_of_over_1_mib_are_not_written() {
    let fields = (0..20).map(|n| format!("a{n}: choose(one: $one) ")).collect::<Vec<_>>().concat();
    let query = format!("query ($one: Choice!) {{ {fields} }}");
    let request = json!({ "query": query, "variables": { "one": "X".repeat(200 * 1024) } });
    let answer = api::serve().post_json(request).await;
    assert_eq!((answer.status, answer.code()), (200, "ANSWER_TOO_LARGE"));
    assert_eq!(answer.body.get("data"), None, "nothing was executed");
}
