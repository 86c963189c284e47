//! The frame of every page: language, files, navigation, and pages that are one message.

use axum::{
    http::StatusCode,
    response::{Html, IntoResponse, Response},
};
use chassis::language::Language;
use entity::Money;
use maud::{DOCTYPE, Markup, html};

use super::assets::{SCRIPT, STYLE};
use crate::messages::MESSAGES;

/// A page.
pub(super) struct Page<'a> {
    pub(super) title: &'a str,
    /// Its path, from which it finds the others.
    pub(super) path: &'a str,
    /// Addresses of other programs and their names.
    pub(super) links: &'a [(String, &'static str)],
    /// Whether it is refreshed.
    pub(super) is_live: bool,
    pub(super) body: Markup,
}

/// A text in the language of the request.
pub(super) fn say(id: &str) -> String {
    MESSAGES.text(id, &[])
}

/// A text with a number.
pub(super) fn count(id: &str, count: impl Into<i64>) -> String {
    MESSAGES.text(id, &[("count", &count.into())])
}

/// An amount.
pub(super) fn money(amount: Money) -> String {
    let amount = amount.to_string();
    if Language::current() == Language::Portuguese { amount.replace('.', ",") } else { amount }
}

/// A text whose commands stand between backticks.
pub(super) fn marked(text: &str) -> Markup {
    html! { @for (part, text) in text.split('`').enumerate() { @if part % 2 == 1 { code { (text) } } @else { (text) } } }
}

impl Page<'_> {
    pub(super) fn show(&self, status: StatusCode) -> Response {
        (status, Html(self.html().into_string())).into_response()
    }

    fn html(&self) -> Markup {
        let root = root(self.path);
        let language = if Language::current() == Language::Portuguese { "pt-BR" } else { "en" };
        html! {
            (DOCTYPE)
            html lang=(language) {
                head {
                    meta charset="utf-8";
                    meta name="viewport" content="width=device-width, initial-scale=1";
                    meta name="color-scheme" content="light dark";
                    title { (self.title) " – consultation" }
                    link rel="icon" href="data:,";
                    link rel="stylesheet" href=(format!("{root}console/{}", STYLE.name));
                    script defer src=(format!("{root}console/{}", SCRIPT.name)) {}
                }
                body {
                    a.skip href="#content" { (say("console-skip")) }
                    header {
                        a.home href=(format!("{root}console")) { "consultation" }
                        nav aria-label=(say("console-navigation")) {
                            ul {
                                li { a href=(format!("{root}graphiql")) { "GraphiQL" } }
                                @for (address, name) in self.links { li { a href=(address) { (say(name)) } } }
                            }
                        }
                    }
                    main #content tabindex="-1" {
                        div.title { h1 { (self.title) } @if self.is_live { (refresh()) } }
                        (self.body)
                    }
                }
            }
        }
    }
}

/// How a page is refreshed: by a link, or by the script every 5 s. It shows its button, and says what has changed.
fn refresh() -> Markup {
    html! {
        div.refresh {
            p #news role="status" data-lost=(say("console-lost")) data-refused=(say("console-refused-login")) {}
            // Without the query: it told of a retry.
            a.button #reload href="?" { (say("console-reload")) }
            button #pause type="button" hidden data-pause=(say("console-pause")) data-resume=(say("console-resume")) {}
        }
    }
}

/// A page that says why there is nothing else.
pub(super) fn message(status: StatusCode, path: &str, text: &str) -> Response {
    let title = match status {
        StatusCode::FORBIDDEN => "console-forbidden",
        StatusCode::NOT_FOUND => "console-not-found",
        StatusCode::METHOD_NOT_ALLOWED => "console-not-allowed",
        _ => "console-unavailable",
    };
    let body = html! {
        p #message { (text) }
        p { a.button href=(format!("{}console", root(path))) { (say("console-back")) } }
    };
    Page { title: &say(title), path, links: &[], is_live: false, body }.show(status)
}

/// The way from a path to where `console` is.
fn root(path: &str) -> String {
    "../".repeat(path.matches('/').count().saturating_sub(1))
}
