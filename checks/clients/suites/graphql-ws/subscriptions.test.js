// graphql-ws: both subscriptions, with credentials in the upgrade or in the first message.
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import test from 'node:test';
import { CHANGED, followConsultation, followPayments } from '../../follow.js';
import { consultation, finance, headers } from '../../services.js';
import { connect } from './socket.js';

const timeout = 30_000;
const ways = {
  'in the header of the upgrade': { headers },
  'in the first message': { params: { Authorization: headers.authorization } },
};

for (const [way, credentials] of Object.entries(ways)) {
  test(`a consultation is followed, with credentials ${way}`, { timeout }, async (t) => {
    const client = connect(t, consultation, credentials);
    await followConsultation((operation) => client.iterate(operation));
  });

  test(`payments are followed, with credentials ${way}`, { timeout }, async (t) => {
    const client = connect(t, finance, credentials);
    await followPayments((operation) => client.iterate(operation));
  });
}

test('several subscriptions share a connection, and end one by one', { timeout }, async (t) => {
  const client = connect(t, consultation, { headers });
  const iterate = (operation) => client.iterate(operation);
  await Promise.all([followConsultation(iterate), followConsultation(iterate), followConsultation(iterate)]);
});

test('queries and mutations go over the socket too', { timeout }, async (t) => {
  const client = connect(t, consultation, { headers });
  const one = async (operation) => (await client.iterate(operation).next()).value;
  const started = await one({
    query: `mutation ($input: StartConsultationInput!) { startConsultation(input: $input) { consultation { id } } }`,
    variables: { input: { physicianId: randomUUID(), patientId: randomUUID() } },
  });
  const { id } = started.data.startConsultation.consultation;
  const read = await one({ query: 'query ($id: ID!) { consultation(id: $id) { id } }', variables: { id } });
  assert.deepEqual(read, { data: { consultation: { id } } });
});

test('an invalid operation ends with an error message, and leaves the connection to others', { timeout }, async (t) => {
  const client = connect(t, consultation, { headers });
  const invalid = client.iterate({ query: 'subscription { nothing }' }).next();
  // Errors in a `next` message would be a result; graphql-ws throws what comes in an `error` message.
  await assert.rejects(invalid, (errors) => errors[0].extensions.code === 'GRAPHQL_VALIDATION_FAILED');
  await followConsultation((operation) => client.iterate(operation));
});

test('an unknown consultation is told', { timeout }, async (t) => {
  const client = connect(t, consultation, { headers });
  const codes = [];
  try {
    const operation = { query: CHANGED, variables: { id: randomUUID() } };
    for await (const { errors } of client.iterate(operation)) codes.push(...errors);
  } catch (errors) {
    codes.push(...errors);
  }
  assert.deepEqual(codes.map(({ extensions }) => extensions.code), ['CONSULTATION_NOT_FOUND']);
});
