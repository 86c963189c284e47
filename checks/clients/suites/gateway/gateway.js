// Apollo's gateway, which passes the caller's credentials on to the services.
import { ApolloGateway, RemoteGraphQLDataSource } from '@apollo/gateway';
import { ApolloServer } from '@apollo/server';
import { startStandaloneServer } from '@apollo/server/standalone';
import { headers } from '../../services.js';
import { compose } from '../../supergraph.js';

/**
 * Starts a gateway until the test ends. `ask` sends an operation, `sent` has its requests to the services. `moved` has
 * other addresses of the services.
 */
export async function startGateway(t, { moved = {} } = {}) {
  const sent = [];
  const { supergraphSdl } = await compose();
  const gateway = new ApolloGateway({
    supergraphSdl,
    logger: { debug() {}, info() {}, warn() {}, error() {} },
    buildService: ({ name, url }) => new RemoteGraphQLDataSource({
      url: moved[name] ?? url,
      willSendRequest({ request, context }) {
        sent.push({ name, query: request.query, variables: request.variables });
        // Before it serves, the gateway has no caller.
        if (context.authorization) request.http.headers.set('authorization', context.authorization);
      },
    }),
  });
  const server = new ApolloServer({ gateway });
  const { url } = await startStandaloneServer(server, {
    listen: { host: '127.0.0.1', port: 0 },
    context: async ({ req }) => ({ authorization: req.headers.authorization }),
  });
  t.after(() => server.stop());
  const ask = async (query, variables) => {
    sent.length = 0;
    const options = { method: 'POST', headers: { ...headers, 'content-type': 'application/json' } };
    const answer = await fetch(url, { ...options, body: JSON.stringify({ query, variables }) });
    return answer.json();
  };
  return { ask, sent };
}
