//! The tabs of GraphiQL: recording a payment, listing payments, and following them.

use graphql_http::graphiql::Tab;

pub(crate) const TABS: &[Tab] = &[
    Tab {
        query: "# Record a payment. Safe to repeat: it is
# recorded once; another amount is refused.
mutation Record($input: RecordPaymentInput!) {
  recordPayment(input: $input) {
    payment { id totalPrice recordedAt }
    alreadyRecorded
    userErrors { ... on UserError { code message field } }
  }
}
",
        variables: r#"{
  "input": { "appointmentId": "a63e3a29-3bd1-4a9f-a8f5-6a1c6f6cd9c7", "totalPrice": "216.00" }
}"#,
    },
    Tab {
        query: "# The last payments.
query List($last: Int) {
  payments(last: $last) {
    totalCount
    edges { node { id appointmentId totalPrice recordedAt } }
    pageInfo { hasPreviousPage startCursor }
  }
}
",
        variables: r#"{ "last": 10 }"#,
    },
    Tab {
        query: "# Each payment as soon as it is recorded: run
# this, then finish a consultation elsewhere.
subscription Follow {
  paymentRecorded { id appointmentId totalPrice recordedAt }
}
",
        variables: "",
    },
];
