// Components of a Relay front end. The compiler reads their tagged templates only.
import { graphql } from 'relay-runtime';

export const Row = graphql`
  fragment page_row on Consultation @refetchable(queryName: "pageRowRefetchQuery") {
    status
    price
    pendingPayment { status tries }
  }
`;

export const List = graphql`
  fragment page_list on Query
  @argumentDefinitions(
    filter: { type: "ConsultationFilter" }
    count: { type: "Int", defaultValue: 20 }
    cursor: { type: "String" }
  )
  @refetchable(queryName: "pageListPaginationQuery") {
    consultations(filter: $filter, orderBy: { field: START_DATE, direction: DESC }, first: $count, after: $cursor)
      @connection(key: "page_consultations") {
      edges { node { id ...page_row } }
    }
  }
`;

export const Backwards = graphql`
  fragment page_latest on Query
  @argumentDefinitions(count: { type: "Int", defaultValue: 20 }, cursor: { type: "String" })
  @refetchable(queryName: "pageLatestPaginationQuery") {
    pendingPayments(last: $count, before: $cursor) @connection(key: "page_pendingPayments") {
      edges { node { totalPrice consultation { id } } }
    }
  }
`;

export const Page = graphql`
  query pageQuery($filter: ConsultationFilter) {
    ...page_list @arguments(filter: $filter)
    ...page_latest
  }
`;

export const Finish = graphql`
  mutation pageFinishMutation($input: FinishConsultationInput!) {
    finishConsultation(input: $input) {
      consultation { ...page_row }
      userErrors {
        ... on UserError { code message field }
        ... on ConsultationAlreadyFinished { consultation { ...page_row } }
      }
    }
  }
`;
