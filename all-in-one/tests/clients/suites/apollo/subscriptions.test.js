// Apollo Client's subscriptions over graphql-transport-ws, beside its queries over HTTP.
import assert from 'node:assert/strict';
import test from 'node:test';
import { ApolloClient, gql } from '@apollo/client';
import { GraphQLWsLink } from '@apollo/client/link/subscriptions';
import { createClient } from 'graphql-ws';
import { filter, firstValueFrom, map, take, toArray } from 'rxjs';
import { WebSocket } from 'ws';
import { consultation, finance, finish, headers, started } from '../../services.js';
import { cache } from './client.js';

const timeout = 20_000;

async function apollo(t, service) {
  const socket = createClient({
    url: `${service.replace('http', 'ws')}/graphql`,
    webSocketImpl: WebSocket,
    connectionParams: { Authorization: headers.authorization },
  });
  t.after(() => socket.dispose());
  return new ApolloClient({ link: new GraphQLWsLink(socket), cache: await cache() });
}
