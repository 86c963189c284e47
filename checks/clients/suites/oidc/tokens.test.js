// Tokens of a real OpenID Connect issuer, at services that accept no passwords.
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { mkdtemp, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test, { after, before } from 'node:test';
import { createClient as createSseClient } from 'graphql-sse';
import { eventually } from '../../eventually.js';
import { startServices } from '../../processes.js';
import { basic } from '../../services.js';
import { connect } from '../graphql-ws/socket.js';
import { audiences, newKey, startIssuer } from './issuer.js';

const timeout = 60_000;
const program = process.env.PROGRAM ?? '../../target/debug/all-in-one';

const START = `mutation ($input: StartConsultationInput!) { startConsultation(input: $input) { consultation { id } } }`;
const FINISH = `mutation ($input: FinishConsultationInput!) { finishConsultation(input: $input) { consultation { id } } }`;
const CHANGED = `subscription ($id: ID!) { consultationChanged(id: $id) { id status } }`;
const PAYMENTS = `query ($filter: PaymentFilter) { payments(filter: $filter) { edges { node { totalPrice } } } }`;
const LIST = `{ consultations(first: 1) { edges { cursor } } }`;

let issuer, services, directory, tokenFile;
const keys = { RS256: newKey('RS256'), ES256: newKey('ES256'), EdDSA: newKey('EdDSA') };

before(async () => {
  issuer = await startIssuer(keys.RS256);
  directory = await mkdtemp(join(tmpdir(), 'oidc-'));
  tokenFile = join(directory, 'token');
  services = await startServices(program, {
    CONSULTATION_TOKEN_ISSUER: issuer.url,
    CONSULTATION_TOKEN_AUDIENCE: audiences.consultation,
    FINANCE_TOKEN_ISSUER: issuer.url,
    FINANCE_TOKEN_AUDIENCE: audiences.finance,
    CONSULTATION_FINANCE_TOKEN_FILE: tokenFile,
  });
});
after(async () => {
  await services?.stop();
  await issuer?.stop();
  await rm(directory, { recursive: true });
});

/** The whole answer of an operation with this token. */
async function send(service, token, query, variables) {
  const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/json' };
  const answer = await fetch(`${service}/graphql`, { method: 'POST', headers, body: JSON.stringify({ query, variables }) });
  return { status: answer.status, challenge: answer.headers.get('www-authenticate'), ...await answer.json() };
}

async function started(token) {
  const input = { physicianId: randomUUID(), patientId: randomUUID() };
  const { data, errors } = await send(services.consultation, token, START, { input });
  assert.equal(errors, undefined);
  return data.startConsultation.consultation.id;
}

const personal = async (person, service = 'consultation') =>
  (await issuer.byAuthorizationCode(person, audiences[service])).access_token;

test('a person with a token of the authorization-code flow may do what the roles permit', { timeout }, async () => {
  const [clinician, reader] = [await personal('ana'), await personal('bruno')];
  const id = await started(clinician);
  const { data } = await send(services.consultation, reader, `{ consultation(id: "${id}") { id } }`);
  assert.deepEqual(data, { consultation: { id } });
  const refused = await send(services.consultation, reader, FINISH, { input: { consultationId: id } });
  assert.equal(refused.status, 403);
  assert.match(refused.errors[0].message, new RegExp(`the user "${issuer.url}#bruno" has reader`));
});

test('ID tokens, tokens for the other service and passwords are refused', { timeout }, async () => {
  const { id_token } = await issuer.byAuthorizationCode('ana', audiences.consultation);
  for (const token of [id_token, await personal('ana', 'finance'), 'admin']) {
    const { status, challenge, errors } = await send(services.consultation, token, LIST);
    assert.deepEqual([status, errors[0].extensions.code], [401, 'UNAUTHENTICATED']);
    assert.match(challenge, /^Bearer realm="consultation", error="invalid_token"/);
  }
  const answer = await fetch(`${services.consultation}/graphql`, { headers: { authorization: basic('admin', 'teste123') } });
  assert.deepEqual([answer.status, answer.headers.get('www-authenticate')], [401, 'Bearer realm="consultation"']);
});

test('a consultation is followed with a token, over a WebSocket and by events', { timeout }, async (t) => {
  const token = await personal('ana');
  const id = await started(token);
  const authorization = `Bearer ${token}`;
  const events = createSseClient({ url: `${services.consultation}/graphql`, headers: { authorization }, retryAttempts: 0 });
  t.after(() => events.dispose());
  const operation = { query: CHANGED, variables: { id } };
  for (const client of [
    connect(t, services.consultation, { headers: { authorization } }),
    connect(t, services.consultation, { params: { Authorization: authorization } }),
    events,
  ]) {
    const { value } = await client.iterate(operation).next();
    assert.equal(value.data.consultationChanged.id, id);
  }
});

test('consultation records payments with the token that its file holds', { timeout }, async () => {
  const [clinician, finance] = [await personal('ana'), await personal('carla', 'finance')];
  const id = await started(clinician);
  await send(services.consultation, clinician, FINISH, { input: { consultationId: id } });
  await eventually('the missing file is logged', async () =>
    (await services.log()).includes('--consultation-finance-token-file'));
  const { access_token } = await issuer.byClientCredentials(audiences.finance);
  await writeFile(`${tokenFile}.new`, access_token);
  await rename(`${tokenFile}.new`, tokenFile);
  await eventually('finance has the payment', async () => {
    const { data } = await send(services.finance, finance, PAYMENTS, { filter: { appointmentIds: [id] } });
    return data.payments.edges.length === 1;
  });
});

test('keys are rotated while the services run', { timeout }, async () => {
  const old = await personal('ana');
  issuer.rotateTo(keys.RS256, keys.ES256);
  const next = await personal('ana');
  assert.equal(JSON.parse(atob(next.split('.')[0])).alg, 'ES256');
  for (const token of [next, old]) assert.equal((await send(services.consultation, token, LIST)).status, 200);
});

test('while the issuer is away its tokens are accepted', { timeout }, async () => {
  const tokens = [await personal('ana'), await personal('bruno')];
  await issuer.stop();
  for (const token of tokens) assert.equal((await send(services.consultation, token, LIST)).status, 200);
  assert.equal((await fetch(`${services.consultation}/readyz`)).status, 200);
});
