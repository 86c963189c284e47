// Apollo Client's subscriptions over graphql-transport-ws.
import test from 'node:test';
import { ApolloClient, gql } from '@apollo/client';
import { GraphQLWsLink } from '@apollo/client/link/subscriptions';
import { createClient } from 'graphql-ws';
import { WebSocket } from 'ws';
import { called, followConsultation, followPayments } from '../../follow.js';
import { consultation, finance, headers } from '../../services.js';
import { cache } from './client.js';

const timeout = 30_000;

for (const [what, service, follow] of [
  ['a consultation is', consultation, followConsultation],
  ['payments are', finance, followPayments],
]) {
  test(`${what} followed`, { timeout }, async (t) => {
    const socket = createClient({
      url: `${service.replace('http', 'ws')}/graphql`,
      webSocketImpl: WebSocket,
      connectionParams: { Authorization: headers.authorization },
    });
    t.after(() => socket.dispose());
    const client = new ApolloClient({ link: new GraphQLWsLink(socket), cache: await cache() });
    await follow(({ query, variables }) => called((next, error) => {
      const subscription = client.subscribe({ query: gql(query), variables }).subscribe({ next, error });
      return () => subscription.unsubscribe();
    }));
  });
}
