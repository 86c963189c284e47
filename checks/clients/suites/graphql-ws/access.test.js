// Refused WebSockets: wrong credentials, no credentials, pages of other origins.
import assert from 'node:assert/strict';
import test from 'node:test';
import { WebSocket } from 'ws';
import { basic, consultation, headers, username } from '../../services.js';
import { connect, urlOf } from './socket.js';

const timeout = 30_000;
const QUERY = '{ consultations(first: 1) { edges { cursor } } }';

for (const [what, params] of Object.entries({ wrong: { Authorization: basic(username, 'wrong') }, no: undefined })) {
  test(`${what} credentials close the socket`, { timeout }, async (t) => {
    const refused = connect(t, consultation, { params }).iterate({ query: QUERY }).next();
    await assert.rejects(refused, ({ code }) => [4401, 4403].includes(code));
  });
}

test('wrong credentials in the header get no socket', { timeout }, async () => {
  assert.deepEqual(await upgrade({ headers: { authorization: basic(username, 'wrong') } }), { status: 401 });
});

test('a page of another origin gets no socket, though the browser would add its credentials', { timeout }, async () => {
  assert.deepEqual(await upgrade({ headers, origin: 'http://elsewhere.example' }), { status: 403 });
});

test('a page of the service itself gets one', { timeout }, async () => {
  const { socket } = await upgrade({ headers, origin: consultation });
  socket.close();
});

/** The socket, or the status of the refusal. */
function upgrade(options) {
  const socket = new WebSocket(urlOf(consultation), 'graphql-transport-ws', options);
  return new Promise((resolve, reject) => {
    socket.once('open', () => resolve({ socket }));
    socket.once('unexpected-response', (request, { statusCode }) => {
      request.destroy();
      resolve({ status: statusCode });
    });
    socket.once('error', reject);
  });
}
