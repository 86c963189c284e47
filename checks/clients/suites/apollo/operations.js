// The operations of a clinic's front end.
import { gql } from '@apollo/client';

export const START = gql`
  mutation Start($input: StartConsultationInput!) {
    startConsultation(input: $input) {
      consultation { id status startDate }
      userErrors {
        ... on UserError { code message field }
        ... on PatientInConsultation { consultation { id } }
      }
    }
  }
`;

export const FINISH = gql`
  mutation Finish($input: FinishConsultationInput!) {
    finishConsultation(input: $input) {
      consultation { id status endDate price }
      userErrors { ... on UserError { code } ... on ConsultationAlreadyFinished { consultation { id price } } }
    }
  }
`;

export const ONE = gql`
  query One($id: ID!) { consultation(id: $id) { id status price pendingPayment { status tries finishedAt } } }
`;

export const PAGE = gql`
  query Page($filter: ConsultationFilter, $first: Int, $after: String, $last: Int, $before: String) {
    consultations(filter: $filter, first: $first, after: $after, last: $last, before: $before) {
      edges { cursor node { id } }
      pageInfo { hasNextPage hasPreviousPage startCursor endCursor }
    }
  }
`;
