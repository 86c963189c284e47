// One graph through Hive Router.
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import test from 'node:test';
import { freePort } from '../../processes.js';
import { basic, consultation, finance, headers, paid, username } from '../../services.js';
import { ask, startGraph } from './graph.js';
import { observe, silent } from './observer.js';

const timeout = 60_000;
const LATEST = `{
  consultations(last: 5) { edges { node { id price pendingPayment { status } payment { totalPrice recordedAt } } } }
}`;
const nodesOf = ({ data }) => data.consultations.edges.map(({ node }) => node);

test('a page of consultations has its payments, which finance is asked for once', { timeout }, async (t) => {
  const ids = [];
  for (let count = 0; count < 5; count += 1) ids.push(await paid());
  const asked = { consultation: await observe(t, consultation), finance: await observe(t, finance) };
  const answer = await ask(await startGraph(t, { consultation: asked.consultation.url, finance: asked.finance.url }), LATEST);
  assert.equal(answer.errors, undefined);
  assert.deepEqual(nodesOf(answer).map(({ id }) => id), ids);
  assert(nodesOf(answer).every(({ price, payment }) => payment.totalPrice === price && payment.recordedAt.endsWith('Z')));
  assert.equal(asked.consultation.requests.length, 1);
  assert.equal(asked.finance.requests.length, 1);
  assert.equal(asked.finance.requests[0].variables.representations.length, 5);
});

test('a payment leads to its consultation', { timeout }, async (t) => {
  const id = await paid();
  const query = `query ($id: UUID!) {
    payments(filter: { appointmentIds: [$id] }) { edges { node { totalPrice consultation { id price } } } }
  }`;
  const { data } = await ask(await startGraph(t), query, { id });
  const [{ node }] = data.payments.edges;
  assert.deepEqual([node.consultation.id, node.consultation.price], [id, node.totalPrice]);
});

test('mutations answer with data and with refusals', { timeout }, async (t) => {
  const url = await startGraph(t);
  const start = `mutation ($input: StartConsultationInput!) {
    startConsultation(input: $input) { consultation { id payment { id } } userErrors { ... on UserError { code message } } }
  }`;
  const input = { physicianId: randomUUID(), patientId: randomUUID() };
  const first = await ask(url, start, { input });
  assert.deepEqual(first.data.startConsultation.userErrors, []);
  assert.equal(first.data.startConsultation.consultation.payment, null);
  const again = await ask(url, start, { input }, { ...headers, 'accept-language': 'pt-BR' });
  const [{ code, message }] = again.data.startConsultation.userErrors;
  assert.equal(code, 'PATIENT_IN_CONSULTATION');
  assert.match(message, /paciente/);
});

test('both services see the caller, and nothing else of the request', { timeout }, async (t) => {
  await paid();
  const asked = [await observe(t, consultation), await observe(t, finance)];
  const url = await startGraph(t, { consultation: asked[0].url, finance: asked[1].url });
  const trace = { traceparent: '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01' };
  const caller = { ...headers, 'x-request-id': 'request-1', 'accept-language': 'pt-BR', 'x-forwarded-for': '203.0.113.9', ...trace };
  await ask(url, LATEST, {}, { ...caller, cookie: 'a=b', 'x-other': 'c' });
  await ask(url, LATEST);
  for (const { requests: [told, untold] } of asked) {
    for (const name of ['authorization', 'x-request-id', 'accept-language']) assert.equal(told.headers[name], caller[name]);
    assert.match(told.headers.traceparent, /^00-0af7651916cd43dd8448eb211c80319c-/);
    assert.equal(told.headers['x-forwarded-for'], '203.0.113.9, 127.0.0.1');
    assert.deepEqual([told.headers.cookie, told.headers['x-other']], [undefined, undefined]);
    assert.equal(untold.headers['x-forwarded-for'], '127.0.0.1');
  }
  const [first, second] = asked.map(({ requests }) => requests[1].headers['x-request-id']);
  assert.match(first, /^[0-9a-f-]{36}$/);
  assert.equal(first, second);
});

test('callers do not share answers', { timeout }, async (t) => {
  await paid();
  const url = await startGraph(t);
  const wrong = { authorization: basic(username, 'wrong') };
  const asked = Array.from({ length: 8 }, (_, count) => ask(url, LATEST, {}, count % 2 ? wrong : headers));
  const answers = await Promise.all(asked);
  answers.forEach(({ data, errors }, count) => {
    if (count % 2) assert(!data?.consultations && /UNAUTHENTICATED|TOO_MANY/.test(errors[0].extensions.code));
    else assert.equal(errors, undefined);
  });
});

for (const [state, address, code] of [
  ['finance down', async () => `http://127.0.0.1:${await freePort()}`, 'SUBREQUEST_HTTP_ERROR'],
  ['a silent finance', silent, 'SUBGRAPH_REQUEST_TIMEOUT'],
]) {
  test(`with ${state} everything but the payments is there`, { timeout }, async (t) => {
    const id = await paid();
    const answer = await ask(await startGraph(t, { finance: await address(t) }), LATEST);
    const last = nodesOf(answer).at(-1);
    assert.deepEqual([last.id, last.price, last.pendingPayment.status, last.payment], [id, '200.00', 'FINISHED', null]);
    assert.deepEqual(answer.errors.map(({ extensions }) => extensions), [{ code }]);
    assert(!JSON.stringify(answer.errors).includes('127.0.0.1'), 'no address is told');
  });
}
