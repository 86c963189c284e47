//! The page of GraphiQL: listing, finding and following payments. No tab records one: without its consultation it would
//! be a difference to `reconcile` for ever.

use graphql_http::graphiql::{Link, Page, Tab, Take};

const TABS: &[Tab] = &[
    Tab { query: include_str!("../graphiql/list.graphql"), variables: r#"{ "first": 10 }"#, takes: &[] },
    Tab {
        query: include_str!("../graphiql/find.graphql"),
        variables: r#"{ "appointmentId": "00000000-0000-0000-0000-000000000000" }"#,
        takes: &[
            Take { from: "payments.edges.0.node.appointmentId", to: "appointmentId" },
            Take { from: "paymentRecorded.appointmentId", to: "appointmentId" },
        ],
    },
    Tab { query: include_str!("../graphiql/follow.graphql"), variables: "", takes: &[] },
];

/// The page, with a link to the one of consultation where that is known.
pub(crate) fn page(link: Option<String>) -> Page {
    Page { title: "finance", tabs: TABS, other: link.map(|url| Link { title: "consultation", url }) }
}
