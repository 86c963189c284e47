// Hive Gateway as the one graph over both services: docs/containers.md, "One graph over both services".
//
// It knows no password. Whoever asks gives a user name and password, and both services see and check them.
import { fileURLToPath } from 'node:url';

const CHALLENGE = { 'www-authenticate': 'Basic realm="clinic", charset="UTF-8"' };
const POLICY = "default-src 'self' 'unsafe-inline' 'unsafe-eval' data: blob:; frame-ancestors 'none'; base-uri 'none'";
const HEALTH = ['/healthcheck', '/readiness'];

// The services' own limit.
const MAX_BODY = 256 * 1024;
// Introspection aside. The payments of a page are 5 levels deep; `payment { consultation { payment ...` goes round in
// a circle, and each round asks both services.
const MAX_DEPTH = 15;
// The services end what takes 10 s; this is for one that says nothing at all. Not for subscriptions, which last.
const TIMEOUT = 15_000;

export const gatewayConfig = {
  supergraph: fileURLToPath(new URL('supergraph.graphql', import.meta.url)),
  // Where the services are, if not where the supergraph says.
  transportEntries: Object.fromEntries(['consultation', 'finance'].flatMap((service) => {
    const location = process.env[`ROUTER_${service.toUpperCase()}_URL`];
    return location ? [[service, { location }]] : [];
  })),
  propagateHeaders: {
    fromClientToSubgraphs: ({ request }) => ({ authorization: request.headers.get('authorization') }),
  },
  upstreamTimeout: ({ executionRequest }) => (executionRequest?.operationType === 'subscription' ? undefined : TIMEOUT),
  // Objects of the other service are asked for together, but never remembered: by default a subscription would show
  // to its end what it heard first, and `payment` would stay null.
  __experimental__batchDelegateOptions: { cache: false },
  maxDepth: MAX_DEPTH,
  plugins: () => [admission, refusal, page],
  graphiql: ({ headers }) => headers.has('authorization'),
  // Without it, pages of all origins would be allowed to ask with the credentials that the browser remembers.
  cors: false,
  // Subscriptions come by server-sent events. A socket would get round the admission.
  disableWebsockets: true,
  // It loads scripts from a CDN; the page at /graphql has them in itself.
  landingPage: false,
};

/** Who gets no further, before anything is read. */
const admission = {
  onRequest({ request: { method, headers }, url, endResponse, fetchAPI }) {
    if (HEALTH.includes(url.pathname)) return;
    const refuse = (status, code, message, more) => endResponse(
      fetchAPI.Response.json({ errors: [{ message, extensions: { code } }] }, { status, headers: more }),
    );
    if (isCrossSite(headers)) {
      refuse(403, 'FORBIDDEN', 'Pages of other origins cannot ask');
    } else if (!headers.has('authorization')) {
      refuse(401, 'UNAUTHENTICATED', 'A user name and password are required (HTTP Basic)', CHALLENGE);
    } else if (method === 'POST' && !(Number(headers.get('content-length') ?? NaN) <= MAX_BODY)) {
      refuse(413, 'BAD_REQUEST', `The request says no length, or is over ${MAX_BODY / 1024} kB`);
    }
  },
};

/** As chassis/src/graphql/same_origin.rs: a browser adds credentials to the requests of other sites' pages too. */
function isCrossSite(headers) {
  const site = headers.get('sec-fetch-site');
  if (site) return site !== 'same-origin' && site !== 'none';
  const [origin, host] = [headers.get('origin'), headers.get('host')];
  return origin !== null && origin !== `http://${host}` && origin !== `https://${host}`;
}

/** Errors say neither what was sent to a service nor where it is; the status is that of an answer without data. */
const refusal = {
  onExecutionResult({ result }) {
    for (const { extensions } of result?.errors ?? []) {
      delete extensions?.request;
      delete extensions?.response;
      if (result.data) delete extensions?.http;
      else if (extensions?.code === 'UNAUTHENTICATED') extensions.http = { status: 401, headers: CHALLENGE };
    }
  },
};

/** The page has all its scripts in itself. */
const page = {
  onResponse({ response }) {
    if (response.headers.get('content-type')?.startsWith('text/html')) {
      response.headers.set('content-security-policy', POLICY);
    }
  },
};
