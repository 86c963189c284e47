// Apollo Client with automatically persisted queries: the hash alone, by GET, once the service knows the query.
import assert from 'node:assert/strict';
import { createHash, randomUUID } from 'node:crypto';
import test from 'node:test';
import { gql } from '@apollo/client';
import { PersistedQueryLink } from '@apollo/client/link/persisted-queries';
import { consultation, headers, started } from '../../services.js';
import { apollo } from './client.js';
import { START } from './operations.js';

const timeout = 20_000;
const sha256 = (text) => createHash('sha256').update(text).digest('hex');
const persisted = () => new PersistedQueryLink({ sha256, useGETForHashedQueries: true });

test('a query is sent whole once, and by its hash in a GET from then on', { timeout }, async () => {
  // No other run has registered it.
  const query = gql(`query Q${randomUUID().replaceAll('-', '')}($id: ID!) { consultation(id: $id) { id status } }`);
  const id = await started();
  const sent = [];
  for (let visit = 0; visit < 2; visit += 1) {
    const client = await apollo({ before: persisted(), sent });
    const { data } = await client.query({ query, variables: { id } });
    assert.deepEqual(data.consultation, { __typename: 'Consultation', id, status: 'IN_PROGRESS' });
  }
  assert.deepEqual(sent.map(({ method }) => method), ['GET', 'POST', 'GET']);
  const [unknown, whole, known] = sent;
  assert(!unknown.url.searchParams.has('query') && !known.url.searchParams.has('query'), 'a hash comes alone');
  assert(whole.body.query.includes('consultation'));
  const hash = { version: 1, sha256Hash: sha256(whole.body.query) };
  assert.deepEqual(JSON.parse(known.url.searchParams.get('extensions')).persistedQuery, hash);
});

test('a mutation is persisted too, and only ever sent by POST', { timeout }, async () => {
  const sent = [];
  const input = () => ({ physicianId: randomUUID(), patientId: randomUUID() });
  for (let visit = 0; visit < 2; visit += 1) {
    const client = await apollo({ before: persisted(), sent });
    const { data } = await client.mutate({ mutation: START, variables: { input: input() } });
    assert.equal(data.startConsultation.consultation.status, 'IN_PROGRESS');
  }
  assert(sent.every(({ method }) => method === 'POST'));
  assert(!('query' in sent.at(-1).body), 'the last is the hash alone');

  // Nor does a GET run it that somebody makes up.
  const { variables, extensions } = sent.at(-1).body;
  const forged = { variables: JSON.stringify(variables), extensions: JSON.stringify(extensions) };
  const { status } = await fetch(`${consultation}/graphql?${new URLSearchParams(forged)}`, { headers });
  assert.equal(status, 405);
});
