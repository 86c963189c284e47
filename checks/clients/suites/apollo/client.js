// A new Apollo Client, set up as its documentation says, that remembers what it sent.
import { ApolloClient, HttpLink, InMemoryCache } from '@apollo/client';
import { relayStylePagination } from '@apollo/client/utilities';
import { ask, consultation, headers as credentials } from '../../services.js';

const TYPES = '{ __schema { types { name possibleTypes { name } } } }';

/** `sent` gets the method, the address and the body of every request. `before` is a link in front of HTTP. */
export async function apollo({ headers = credentials, before, sent = [] } = {}) {
  const recording = (url, options) => {
    sent.push({ method: options.method, url: new URL(url), body: options.body && JSON.parse(options.body) });
    return fetch(url, options);
  };
  const http = new HttpLink({ uri: `${consultation}/graphql`, headers, fetch: recording });
  return new ApolloClient({ link: before ? before.concat(http) : http, cache: await cache() });
}

/** Matches `... on UserError` to its types, and pages through connections. */
export async function cache() {
  const { __schema: schema } = await ask(consultation, TYPES);
  const abstract = schema.types.filter((type) => type.possibleTypes);
  return new InMemoryCache({
    possibleTypes: Object.fromEntries(abstract.map((type) => [type.name, type.possibleTypes.map(({ name }) => name)])),
    typePolicies: { Query: { fields: { consultations: relayStylePagination(['filter', 'orderBy']) } } },
  });
}
