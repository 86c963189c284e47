//! The predecessor's endpoints, as its clients call them.

use axum::http::Method;
use reqwest::RequestBuilder;
use rstest::rstest;
use serde_json::{Value, json};
use testkit::{Answer, Backend};
use uuid::Uuid;

use crate::running::{Running, running, running_without_longest};

const START: &str = "/app/consultation/start/";
pub(crate) const FINISH: &str = "/app/consultation/finish/";

pub(crate) fn request(service: &Running, method: Method, path: &str) -> RequestBuilder {
    service.client().request(method, path)
}

async fn start(service: &Running, body: &Value) -> Answer {
    Answer::of(request(service, Method::POST, START).body(body.to_string())).await
}

async fn finish(service: &Running, body: &Value) -> Answer {
    Answer::of(request(service, Method::PUT, FINISH).body(body.to_string())).await
}

fn people() -> Value {
    json!({ "physician_id": Uuid::new_v4(), "patient_id": Uuid::new_v4() })
}

async fn started(service: &Running) -> Value {
    start(service, &people()).await.body["id"].take()
}

/// The refusal: a text for people.
pub(crate) fn refusal(answer: &Answer) -> &str {
    assert_eq!(answer.status, 400, "{}", answer.body);
    answer.body.as_str().expect("a text")
}

#[rstest]
#[tokio::test]
async fn a_consultation_is_started_and_finished(#[values(Backend::Sqlite, Backend::Postgres)] backend: Backend) {
    let Some(service) = running_without_longest(backend).await else { return };
    let people = people();
    let started = start(&service, &people).await;
    assert_eq!(started.status, 201);
    let mut wanted = json!({ "id": started.body["id"], "start_date": started.body["start_date"], "end_date": null,
        "physician_id": people["physician_id"], "patient_id": people["patient_id"], "price": null });
    assert_eq!(started.body, wanted);

    let body = json!({ "consultation_id": started.body["id"], "end_date": "2121-08-02T12:00:00" });
    let text = request(&service, Method::PUT, FINISH).body(body.to_string()).send().await.expect("an answer");
    assert_eq!(text.status(), 202);
    let text = text.text().await.expect("a text");
    let mut finished: Value = serde_json::from_str(&text).expect("JSON");
    let price = finished["price"].take();
    wanted["end_date"] = "2121-08-02T12:00:00".into();
    assert_eq!(finished, wanted, "the date goes out as it came in");
    assert!(price.is_number() && text.contains(&format!("\"price\":{price}")), "{text}");
}

#[tokio::test]
async fn dates_are_those_of_the_clinics_clocks_and_the_price_has_its_decimals() {
    let Some(service) = running(Backend::Sqlite).await else { return };
    let id = started(&service).await;
    let body = json!({ "consultation_id": id });
    let finished = request(&service, Method::PUT, FINISH).body(body.to_string()).send().await.expect("an answer");
    let text = finished.text().await.expect("a text");
    assert!(text.contains("\"price\":200.00"), "{text}");

    let query = "query ($id: ID!) { consultation(id: $id) { startDate endDate } }";
    let utc = service.client().call(query, json!({ "id": id })).await["consultation"].take();
    let finished: Value = serde_json::from_str(&text).expect("JSON");
    for (local, utc) in [("start_date", &utc["startDate"]), ("end_date", &utc["endDate"])] {
        let utc: chrono::DateTime<chrono::Utc> = utc.as_str().expect("a date").parse().expect("a date");
        let local: chrono::NaiveDateTime = finished[local].as_str().expect("a date").parse().expect("a local date");
        // Sao Paulo has had no other offset since 2019.
        assert_eq!(utc.naive_utc() - local, chrono::TimeDelta::hours(3) + utc.signed_duration_since(whole(utc)));
    }
}

fn whole(time: chrono::DateTime<chrono::Utc>) -> chrono::DateTime<chrono::Utc> {
    chrono::DateTime::from_timestamp(time.timestamp(), 0).expect("a time")
}

#[rstest]
#[case::no_json("nonsense", "JSON object")]
#[case::a_list("[]", "JSON object")]
#[case::nothing("", "JSON object")]
#[case::missing(r#"{ "physician_id": "ea959b03-5577-45c9-b9f7-a45d3e77ce82" }"#, "patient_id is missing")]
#[case::null(r#"{ "physician_id": null }"#, "physician_id is missing")]
#[case::empty(r#"{ "physician_id": " " }"#, "physician_id is missing")]
#[case::no_text(r#"{ "physician_id": 1 }"#, "physician_id must be a text")]
#[case::malformed(r#"{ "physician_id": "1" }"#, "physician_id must be a UUID")]
#[tokio::test]
async fn a_start_that_makes_no_sense_is_refused(#[case] body: &'static str, #[case] why: &str) {
    let Some(service) = running(Backend::Sqlite).await else { return };
    let answer = Answer::of(request(&service, Method::POST, START).body(body)).await;
    assert!(refusal(&answer).contains(why), "{}", answer.body);
}

#[rstest]
#[tokio::test]
async fn what_breaks_a_rule_is_refused_and_says_why(#[values(Backend::Sqlite, Backend::Postgres)] backend: Backend) {
    let Some(service) = running(backend).await else { return };
    let people = people();
    let id = start(&service, &people).await.body["id"].take();
    assert!(refusal(&start(&service, &people).await).contains("The patient is in consultation"));
    let ends = [
        ("nonsense", "end_date must be a date"),
        ("2020-01-01T00:00:00", "end_date must be later"),
        ("2018-11-04T00:30:00", "end_date does not exist"),
        ("", "end_date is missing or empty"),
    ];
    for (end, why) in ends {
        let answer = finish(&service, &json!({ "consultation_id": id, "end_date": end })).await;
        assert!(refusal(&answer).contains(why), "{}", answer.body);
    }
    let unknown = finish(&service, &json!({ "consultation_id": Uuid::new_v4() })).await;
    assert_eq!(refusal(&unknown), "There is no consultation with this id");
    assert_eq!(finish(&service, &json!({ "consultation_id": id, "end_date": null })).await.status, 202);
    assert!(refusal(&finish(&service, &json!({ "consultation_id": id })).await).contains("finished before"));
}

#[rstest]
#[case::a_script("application/x-www-form-urlencoded", &[], 201)]
#[case::a_script_without_content_type("", &[], 201)]
#[case::a_page_that_asked_first("application/json", &["origin"], 201)]
#[case::a_form("application/x-www-form-urlencoded", &["origin"], 415)]
#[case::a_form_with_text("text/plain; charset=utf-8", &["origin"], 415)]
#[tokio::test]
async fn any_content_type_is_json_unless_a_browser_sends_it_to_anyone(
    #[case] content_type: &str,
    #[case] headers: &[&str],
    #[case] status: u16,
) {
    let Some(service) = running(Backend::Sqlite).await else { return };
    let mut request = request(&service, Method::POST, START).body(people().to_string());
    if !content_type.is_empty() {
        request = request.header("content-type", content_type);
    }
    for header in headers {
        request = request.header(*header, &service.client().base);
    }
    assert_eq!(Answer::of(request).await.status, status);
}

#[tokio::test]
async fn a_body_that_cannot_be_read_is_refused_by_its_one_cause() {
    let Some(service) = running(Backend::Sqlite).await else { return };
    let start = || request(&service, Method::POST, START);
    let gzip = Answer::of(start().header("content-encoding", "gzip").body("x")).await;
    assert_eq!(gzip.status, 415);
    assert!(gzip.body.as_str().is_some_and(|why| why.contains("content-encoding: gzip")), "{}", gzip.body);
    let large = Answer::of(start().body(" ".repeat(16 * 1024 + 1))).await;
    assert_eq!((large.status, large.body), (413, json!("The body is over 16 kB")));
    let marked = Answer::of(start().body(format!("\u{feff}{}", people()))).await;
    assert_eq!(marked.status, 201, "{}", marked.body);
}

#[tokio::test]
async fn a_page_of_another_site_cannot_start_anything() {
    let Some(service) = running(Backend::Sqlite).await else { return };
    let request = request(&service, Method::POST, START).body(people().to_string());
    let answer =
        Answer::of(request.header("content-type", "application/json").header("origin", "https://evil.example"));
    assert_eq!(answer.await.status, 403);
}

#[rstest]
#[case(Method::POST, "/app/consultation/start", 400)]
#[case(Method::PUT, "/app/consultation/finish", 400)]
#[case(Method::GET, START, 405)]
#[case(Method::POST, FINISH, 405)]
#[case(Method::POST, "/app/finance/record/", 404)]
#[tokio::test]
async fn each_path_answers_without_its_slash_too(#[case] method: Method, #[case] path: &str, #[case] status: u16) {
    let Some(service) = running(Backend::Sqlite).await else { return };
    assert_eq!(Answer::of(request(&service, method, path)).await.status, status);
}

#[tokio::test]
async fn without_credentials_nothing_is_done() {
    let Some(service) = running(Backend::Sqlite).await else { return };
    let get = |credentials: Option<&str>| {
        let request = service.client().get("/openapi.json");
        credentials.iter().fold(request, |request, password| request.basic_auth("admin", Some(password)))
    };
    for request in [get(None), get(Some("wrong"))] {
        let answer = Answer::of(request).await;
        assert_eq!(answer.status, 401);
        assert!(answer.headers.contains_key("www-authenticate"));
    }
}
