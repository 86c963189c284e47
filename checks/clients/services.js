// Both services for the suites: addresses, credentials, and the operations of a clinic.
import { randomUUID } from 'node:crypto';
import { eventually } from './eventually.js';

// The addresses of `cargo run`, unless the runner sets others.
export const consultation = process.env.CONSULTATION ?? 'http://127.0.0.1:8010';
export const finance = process.env.FINANCE ?? 'http://127.0.0.1:8020';

export const [username, password] = ['admin', 'teste123']; // the development user
export const basic = (name, secret) => `Basic ${btoa(`${name}:${secret}`)}`;
export const headers = { authorization: basic(username, password) };

/** The `data` of an operation; throws what is in `errors`. */
export async function ask(service, query, variables) {
  const answer = await fetch(`${service}/graphql`, {
    method: 'POST',
    headers: { ...headers, 'content-type': 'application/json' },
    body: JSON.stringify({ query, variables }),
  });
  const { data, errors } = await answer.json();
  if (errors) throw new Error(JSON.stringify(errors));
  return data;
}

/** A new consultation's id. */
export async function started({ physicianId = randomUUID(), patientId = randomUUID() } = {}) {
  const { startConsultation } = await ask(consultation, START, { input: { physicianId, patientId } });
  return startConsultation.consultation.id;
}

/** Finishes a consultation now. */
export const finish = (consultationId) => ask(consultation, FINISH, { input: { consultationId } });

/** The id of a new consultation whose payment finance has recorded. */
export async function paid(by) {
  const id = await started(by);
  await finish(id);
  await eventually('finance has the payment', async () => {
    const { payments } = await ask(finance, PAYMENTS, { filter: { appointmentIds: [id] } });
    return payments.edges.length === 1;
  });
  return id;
}

const START = `mutation ($input: StartConsultationInput!) {
  startConsultation(input: $input) { consultation { id } }
}`;
const FINISH = `mutation ($input: FinishConsultationInput!) {
  finishConsultation(input: $input) { consultation { id } }
}`;
const PAYMENTS = `query ($filter: PaymentFilter) {
  payments(filter: $filter) { edges { node { id } } }
}`;
