//! The tabs of GraphiQL: a consultation from start to payment.

use graphql_http::graphiql::Tab;

pub(crate) const TABS: &[Tab] = &[
    Tab {
        query: "# 1. Start a consultation.
# A patient can be in one at a time.
mutation Start($input: StartConsultationInput!) {
  startConsultation(input: $input) {
    consultation { id status startDate }
    userErrors { ... on UserError { code message field } }
  }
}
",
        variables: r#"{
  "input": {
    "physicianId": "ea959b03-5577-45c9-b9f7-a45d3e77ce82",
    "patientId": "86158d46-ce33-4e3d-a822-462bbff5782f"
  }
}"#,
    },
    Tab {
        query: "# 2. Put its id into the variables below,
# and finish it.
mutation Finish($input: FinishConsultationInput!) {
  finishConsultation(input: $input) {
    consultation { id price endDate }
    userErrors { ... on UserError { code message field } }
  }
}
",
        variables: r#"{
  "input": { "consultationId": "PUT THE ID HERE" }
}"#,
    },
    Tab {
        query: "# 3. The newest consultations, and their
# payments on the way to finance.
query List($first: Int) {
  consultations(first: $first, orderBy: { field: START_DATE, direction: DESC }) {
    totalCount
    edges { node { id status price pendingPayment { status tries lastError } } }
    pageInfo { hasNextPage endCursor }
  }
}
",
        variables: r#"{ "first": 10 }"#,
    },
    Tab {
        query: "# 4. A consultation, again at each change:
# run this, then finish it in another window.
subscription Follow($id: ID!) {
  consultationChanged(id: $id) {
    status
    price
    pendingPayment { status tries }
  }
}
",
        variables: r#"{ "id": "PUT THE ID HERE" }"#,
    },
];
