// Clients of graphql-transport-ws, with optional credentials.
import { createClient } from 'graphql-ws';
import { WebSocket } from 'ws';

export const urlOf = (service) => `${service.replace('http', 'ws')}/graphql`;

/** A client until the test ends: `headers` go with the upgrade, `params` with the first message. */
export function connect(t, service, { headers, params } = {}) {
  const client = createClient({
    url: urlOf(service),
    connectionParams: params,
    retryAttempts: 0,
    webSocketImpl: class extends WebSocket {
      constructor(url, protocols) {
        super(url, protocols, { headers });
      }
    },
  });
  t.after(() => client.dispose());
  return client;
}
