// urql: operations by POST and by GET, errors.
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import test from 'node:test';
import { gql } from '@urql/core';
import { basic, started, username } from '../../services.js';
import { urql } from './client.js';

const timeout = 20_000;
const ONE = gql`query ($id: ID!) { consultation(id: $id) { id status } }`;

for (const [method, preferGetMethod] of [['POST', false], ['GET', 'force']]) {
  // urql accepts an event stream as the answer to any operation; only subscriptions get one.
  test(`a query by ${method}`, { timeout }, async () => {
    const id = await started();
    const sent = [];
    const { data, error } = await urql({ sent, preferGetMethod }).query(ONE, { id });
    assert.ifError(error);
    assert.deepEqual(data.consultation, { __typename: 'Consultation', id, status: 'IN_PROGRESS' });
    assert.deepEqual(sent.map((request) => request.method), [method]);
  });
}

test('a refusal is data', { timeout }, async () => {
  const input = { physicianId: randomUUID(), patientId: randomUUID() };
  const id = await started(input);
  const start = gql`
    mutation ($input: StartConsultationInput!) {
      startConsultation(input: $input) {
        userErrors { ... on UserError { code } ... on PatientInConsultation { consultation { id } } }
      }
    }
  `;
  const { data, error } = await urql().mutation(start, { input });
  assert.ifError(error);
  const [refusal] = data.startConsultation.userErrors;
  assert.deepEqual([refusal.code, refusal.consultation.id], ['PATIENT_IN_CONSULTATION', id]);
});

test('a bad id has its code, and a wrong password its status', { timeout }, async () => {
  const { error: bad } = await urql().query(ONE, { id: 'nonsense' });
  assert.equal(bad.graphQLErrors[0].extensions.code, 'BAD_USER_INPUT');
  const stranger = urql({ headers: { authorization: basic(username, 'wrong') } });
  const { error: refused } = await stranger.query(ONE, { id: 'x' });
  assert.equal(refused.response.status, 401);
});
