// Subscriptions through Hive Router, by server-sent events.
import assert from 'node:assert/strict';
import test from 'node:test';
import { createClient } from 'graphql-sse';
import { followConsultation, followPayments } from '../../follow.js';
import { finish, headers, started } from '../../services.js';
import { startGraph } from './graph.js';

const timeout = 60_000;

async function connect(t) {
  const client = createClient({ url: await startGraph(t), headers, retryAttempts: 0 });
  t.after(() => client.dispose());
  return client;
}

test('a consultation is followed', { timeout }, async (t) => {
  const client = await connect(t);
  await followConsultation((operation) => client.iterate(operation));
});

test('payments are followed', { timeout }, async (t) => {
  const client = await connect(t);
  await followPayments((operation) => client.iterate(operation));
});

test('each event has the payment as finance has it then', { timeout }, async (t) => {
  const client = await connect(t);
  const id = await started();
  const query = `subscription ($id: ID!) {
    consultationChanged(id: $id) { pendingPayment { status } payment { totalPrice } }
  }`;
  const seen = [];
  for await (const { data, errors } of client.iterate({ query, variables: { id } })) {
    assert.equal(errors, undefined);
    seen.push(data.consultationChanged);
    if (seen.length === 1) await finish(id);
    if (seen.at(-1).pendingPayment?.status === 'FINISHED') break;
  }
  assert.deepEqual([seen[0].payment, seen.at(-1).payment], [null, { totalPrice: '200.00' }]);
});
