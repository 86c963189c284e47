// A new urql client that remembers what it sent.
import { Client, cacheExchange, fetchExchange } from '@urql/core';
import { consultation, headers as credentials } from '../../services.js';

/** `sent` gets the method, the address and the body of every request. `before` is an exchange in front of HTTP. */
export function urql({ service = consultation, headers = credentials, before, sent = [], ...options } = {}) {
  return new Client({
    url: `${service}/graphql`,
    exchanges: [cacheExchange, ...(before ? [before] : []), fetchExchange],
    fetchOptions: { headers },
    preferGetMethod: false,
    fetch: (url, options) => {
      sent.push({ method: options.method, url: new URL(url), body: options.body && JSON.parse(options.body) });
      return fetch(url, options);
    },
    ...options,
  });
}
