// urql's subscriptions: through graphql-ws, and as an event stream through fetch.
import test from 'node:test';
import { subscriptionExchange } from '@urql/core';
import { createClient } from 'graphql-ws';
import { WebSocket } from 'ws';
import { called, followConsultation, followPayments } from '../../follow.js';
import { consultation, finance, headers } from '../../services.js';
import { urql } from './client.js';

const timeout = 30_000;
const ways = {
  'through graphql-ws': throughSocket,
  'through fetch': (t, service) => urql({ service, fetchSubscriptions: true }),
};

for (const [way, client] of Object.entries(ways)) {
  test(`a consultation is followed ${way}`, { timeout }, (t) => followConsultation(iterating(client(t, consultation))));

  test(`payments are followed ${way}`, { timeout }, (t) => followPayments(iterating(client(t, finance))));
}

const iterating = (client) => ({ query, variables }) => called((next, fail) => {
  const results = client.subscription(query, variables);
  const { unsubscribe } = results.subscribe(({ data, error }) => (error ? fail(error) : next({ data })));
  return unsubscribe;
});

function throughSocket(t, service) {
  const socket = createClient({
    url: `${service.replace('http', 'ws')}/graphql`,
    webSocketImpl: WebSocket,
    connectionParams: { Authorization: headers.authorization },
  });
  t.after(() => socket.dispose());
  const forwardSubscription = ({ query, variables }) => ({
    subscribe: (sink) => ({ unsubscribe: socket.subscribe({ query, variables }, sink) }),
  });
  return urql({ service, before: subscriptionExchange({ forwardSubscription }) });
}
