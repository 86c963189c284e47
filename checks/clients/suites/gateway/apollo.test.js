// Apollo's gateway over both services.
import assert from 'node:assert/strict';
import test from 'node:test';
import { freePort } from '../../processes.js';
import { paid } from '../../services.js';
import { startGateway } from './gateway.js';

const timeout = 30_000;
const LATEST = `{
  consultations(last: 5) {
    edges { node { id price pendingPayment { status tries } payment { totalPrice recordedAt } } }
  }
}`;

const nodesOf = ({ data }) => data.consultations.edges.map(({ node }) => node);

test('a page of consultations has its payments, which finance is asked for once', { timeout }, async (t) => {
  const ids = [];
  for (let count = 0; count < 5; count += 1) ids.push(await paid());
  const gateway = await startGateway(t);
  const answer = await gateway.ask(LATEST);
  assert.equal(answer.errors, undefined);
  assert.deepEqual(nodesOf(answer).map(({ id }) => id), ids);
  for (const { price, pendingPayment, payment } of nodesOf(answer)) {
    assert.deepEqual([price, payment.totalPrice], ['200.00', '200.00']);
    assert.match(payment.recordedAt, /Z$/);
    assert.equal(pendingPayment.status, 'FINISHED');
    assert(pendingPayment.tries >= 1);
  }
  assert.deepEqual(gateway.sent.map(({ name }) => name), ['consultation', 'finance']);
  assert.match(gateway.sent[1].query, /_entities/);
  assert.equal(gateway.sent[1].variables.representations.length, 5);
});

test('a payment leads to its consultation', { timeout }, async (t) => {
  const id = await paid();
  const gateway = await startGateway(t);
  const query = `query ($filter: PaymentFilter) {
    payments(filter: $filter) { edges { node { totalPrice consultation { id physicianId price } } } }
  }`;
  const { data, errors } = await gateway.ask(query, { filter: { appointmentIds: [id] } });
  assert.equal(errors, undefined);
  const [{ node: { totalPrice, consultation } }] = data.payments.edges;
  assert.deepEqual([consultation.id, consultation.price], [id, totalPrice]);
  assert(consultation.physicianId);
});

test('without finance everything but the payments is there', { timeout }, async (t) => {
  const id = await paid();
  const gateway = await startGateway(t, { moved: { finance: `http://127.0.0.1:${await freePort()}/graphql` } });
  const answer = await gateway.ask(LATEST);
  const last = nodesOf(answer).at(-1);
  assert.deepEqual([last.id, last.price, last.pendingPayment.status, last.payment], [id, '200.00', 'FINISHED', null]);
  assert.equal(answer.errors.length, 1);
});
