// What Hive Router and the HAProxy before it refuse.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import test from 'node:test';
import WebSocket from 'ws';
import { basic, headers, username } from '../../services.js';
import { ask, startGraph } from './graph.js';
import { answering } from './observer.js';

const json = { 'content-type': 'application/json' };
const TYPENAME = '{ __typename }';
const code = ({ errors }) => errors[0].extensions.code;

test('the graph refuses what the services refuse', { timeout: 60_000 }, async (t) => {
  const url = await startGraph(t);

  await t.test('requests without credentials', async () => {
    for (const query of [TYPENAME, '{ __schema { types { name } } }', '{ payments { totalCount } }']) {
      const answer = await ask(url, query, {}, {});
      assert.deepEqual([answer.status, code(answer)], [401, 'UNAUTHENTICATED']);
      assert.match(answer.headers.get('www-authenticate'), /^Basic/);
    }
    assert.equal((await fetch(url, { headers: { accept: 'text/html' } })).status, 401);
  });

  for (const [sender, more, status] of [
    ['a page of another site', { 'sec-fetch-site': 'cross-site' }, 403],
    ['a page of another host of the site', { 'sec-fetch-site': 'same-site' }, 403],
    ['a page of another origin in an older browser', { origin: 'https://evil.example' }, 403],
    ['a sandboxed page in an older browser', { origin: 'null' }, 403],
    ['its own page', { 'sec-fetch-site': 'same-origin' }, 200],
    ['its own page in an older browser', { origin: new URL(url).origin }, 200],
    ['the address bar', { 'sec-fetch-site': 'none' }, 200],
  ]) {
    await t.test(`${sender}: ${status}`, async () => {
      const answer = await ask(url, TYPENAME, {}, { ...headers, ...more });
      assert.equal(answer.status, status);
      if (status === 403) assert.equal(code(answer), 'FORBIDDEN');
    });
  }

  await t.test('bodies over 32 kB, and those that do not tell their length', async () => {
    const text = JSON.stringify({ query: TYPENAME, variables: { a: 'a'.repeat(32 * 1024) } });
    for (const [options, status] of [[{ body: text }, 413], [{ body: new Blob([text]).stream(), duplex: 'half' }, 411]]) {
      const answer = await fetch(url, { method: 'POST', headers: { ...headers, ...json }, ...options });
      assert.equal(answer.status, status);
    }
  });

  await t.test('operations deeper than 15 levels, in fragments too', async () => {
    const nested = (levels) => 'payment { consultation { '.repeat(levels) + 'id' + ' } }'.repeat(levels);
    const query = (levels) => `{ consultations { edges { node { ${nested(levels)} } } } }`;
    assert.equal((await ask(url, query(5))).errors, undefined);
    const deep = await ask(url, query(7));
    assert.match(JSON.stringify(deep.errors), /depth/i);
    const spread = `{ consultations { edges { node { ...A } } } } fragment A on Consultation { ${nested(7)} }`;
    assert.match(JSON.stringify((await ask(url, spread)).errors), /depth/i);
  });

  await t.test('mutations by GET and bodies that are not JSON', async () => {
    const mutation = 'mutation { startConsultation(input: { physicianId: "a", patientId: "b" }) { consultation { id } } }';
    assert.equal((await fetch(`${url}?${new URLSearchParams({ query: mutation })}`, { headers })).status, 405);
    const plain = { method: 'POST', headers: { ...headers, 'content-type': 'text/plain' }, body: `{"query":"${TYPENAME}"}` };
    assert.equal((await fetch(url, plain)).status, 415);
  });

  await t.test('other paths', async () => {
    for (const path of ['/', '/health', '/readiness', '/graphql/x', '/metrics']) {
      assert.equal((await fetch(new URL(path, url), { headers })).status, 404);
    }
  });

  await t.test('WebSockets', async () => {
    const socket = new WebSocket(url.replace('http', 'ws'), 'graphql-transport-ws', { headers });
    const [{ message }] = await once(socket, 'error');
    assert.match(message, /^Unexpected server response: 4/);
  });
});

test('callers whom consultation does not know reach nothing', { timeout: 60_000 }, async (t) => {
  const url = await startGraph(t);
  for (const query of [TYPENAME, '{ __schema { types { name } } }', '{ payments { totalCount } }']) {
    const wrong = await ask(url, query, {}, { authorization: basic(username, 'wrong') });
    assert.deepEqual([wrong.status, code(wrong)], [401, 'UNAUTHENTICATED']);
  }
});

test('what consultation answers to a login is told', { timeout: 60_000 }, async (t) => {
  let login = 200;
  const url = await startGraph(t, { consultation: await answering(t, () => login) });
  for (const [answered, status, told] of [
    [401, 401, 'UNAUTHENTICATED'], [429, 429, 'TOO_MANY_FAILED_LOGINS'],
    [421, 503, 'UNAVAILABLE'], [500, 503, 'UNAVAILABLE'], [undefined, 503, 'UNAVAILABLE'],
  ]) {
    login = answered;
    const answer = await ask(url, '{ __schema { queryType { name } } }');
    assert.deepEqual([answer.status, code(answer)], [status, told]);
  }
});
