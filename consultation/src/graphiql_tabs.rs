//! The page of GraphiQL: a consultation from start to payment. Each tab runs by a click: what Start answers
//! goes into the variables of the next two.

use graphql_http::graphiql::{Link, Page, Tab, Take};

const STARTED: &str = "startConsultation.consultation.id";

const TABS: &[Tab] = &[
    Tab {
        query: include_str!("../graphiql/start.graphql"),
        variables: include_str!("../graphiql/start.json"),
        takes: &[],
    },
    Tab {
        query: include_str!("../graphiql/follow.graphql"),
        variables: r#"{ "id": "RUN START FIRST" }"#,
        takes: &[Take { from: STARTED, to: "id" }],
    },
    Tab {
        query: include_str!("../graphiql/finish.graphql"),
        variables: r#"{ "input": { "consultationId": "RUN START FIRST" } }"#,
        takes: &[Take { from: STARTED, to: "input.consultationId" }],
    },
    Tab { query: include_str!("../graphiql/list.graphql"), variables: r#"{ "first": 10 }"#, takes: &[] },
];

/// The page, with a link to the one of finance where that is known.
pub(crate) fn page(link: Option<String>) -> Page {
    Page { title: "consultation", tabs: TABS, other: link.map(|url| Link { title: "finance", url }) }
}
