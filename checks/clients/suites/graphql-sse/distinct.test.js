// graphql-sse in distinct connections mode.
import assert from 'node:assert/strict';
import test from 'node:test';
import { createClient } from 'graphql-sse';
import { CHANGED, followConsultation, followPayments } from '../../follow.js';
import { basic, consultation, finance, headers, started, username } from '../../services.js';

const timeout = 30_000;

function connect(t, service, credentials = headers) {
  const client = createClient({ url: `${service}/graphql`, headers: credentials, retryAttempts: 0 });
  t.after(() => client.dispose());
  return client;
}

test('a consultation is followed', { timeout }, async (t) => {
  const client = connect(t, consultation);
  await followConsultation((operation) => client.iterate(operation));
});

test('payments are followed', { timeout }, async (t) => {
  const client = connect(t, finance);
  await followPayments((operation) => client.iterate(operation));
});

test('a query has one result', { timeout }, async (t) => {
  const id = await started();
  const results = connect(t, consultation).iterate({ query: `{ consultation(id: "${id}") { id } }` });
  const all = [];
  for await (const result of results) all.push(result);
  assert.deepEqual(all, [{ data: { consultation: { id } } }]);
});

test('an invalid subscription and wrong credentials are refused', { timeout }, async (t) => {
  const first = (client) => client.iterate({ query: 'subscription { nothing }' }).next();
  const { value: { errors } } = await first(connect(t, consultation));
  assert.equal(errors[0].extensions.code, 'GRAPHQL_VALIDATION_FAILED');
  const wrong = { authorization: basic(username, 'wrong') };
  await assert.rejects(first(connect(t, consultation, wrong)), ({ response }) => response.status === 401);
});

test('a subscription by GET begins with the consultation as it is', { timeout }, async () => {
  const id = await started();
  const query = new URLSearchParams({ query: CHANGED, variables: JSON.stringify({ id }) });
  const accept = { ...headers, accept: 'text/event-stream' };
  const answer = await fetch(`${consultation}/graphql?${query}`, { headers: accept });
  assert.match(answer.headers.get('content-type'), /^text\/event-stream/);
  let text = '';
  for await (const chunk of answer.body.pipeThrough(new TextDecoderStream())) {
    text += chunk;
    if (/^data:.*\n/m.test(text)) break; // which ends the request
  }
  assert.match(text, /^event: ?next\ndata: ?\{"data":\{"consultationChanged":/m);
});
