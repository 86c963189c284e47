// urql with automatically persisted queries by GET.
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import test from 'node:test';
import { gql } from '@urql/core';
import { persistedExchange } from '@urql/exchange-persisted';
import { started } from '../../services.js';
import { urql } from './client.js';

const timeout = 20_000;
const before = () => persistedExchange({ preferGetForPersistedQueries: true, enableForMutation: true });

test('a query is sent whole once, and by its hash in a GET from then on', { timeout }, async () => {
  const id = await started();
  // No other run has registered it.
  const query = gql(`query Q${randomUUID().replaceAll('-', '')}($id: ID!) { consultation(id: $id) { id status } }`);
  const sent = [];
  for (let visit = 0; visit < 2; visit += 1) {
    const { data, error } = await urql({ before: before(), sent }).query(query, { id });
    assert.ifError(error);
    assert.deepEqual(data.consultation, { __typename: 'Consultation', id, status: 'IN_PROGRESS' });
  }
  const [unknown, whole, known] = sent;
  assert.equal(sent.length, 3);
  assert.deepEqual([unknown.method, known.method], ['GET', 'GET']);
  assert(!unknown.url.searchParams.has('query') && !known.url.searchParams.has('query'), 'a hash comes alone');
  assert(whole.body?.query ?? whole.url.searchParams.get('query'));
});

test('a mutation is persisted too, and only ever sent by POST', { timeout }, async () => {
  const mutation = gql`
    mutation ($input: StartConsultationInput!) {
      startConsultation(input: $input) { consultation { status } userErrors { ... on UserError { code } } }
    }
  `;
  const sent = [];
  for (let visit = 0; visit < 2; visit += 1) {
    const input = { physicianId: randomUUID(), patientId: randomUUID() };
    const { data, error } = await urql({ before: before(), sent }).mutation(mutation, { input });
    assert.ifError(error);
    assert.equal(data.startConsultation.consultation.status, 'IN_PROGRESS');
  }
  assert(sent.every(({ method }) => method === 'POST'));
  assert(!sent.at(-1).body.query, 'the last is the hash alone');
});
