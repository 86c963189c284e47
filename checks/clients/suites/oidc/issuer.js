// An OpenID Connect issuer on loopback, oidc-provider, and the clients of its flows.
import { createHash, generateKeyPairSync, randomBytes, randomUUID } from 'node:crypto';
import { createServer } from 'node:http';
import Provider from 'oidc-provider';
import { freePort } from '../../processes.js';

/** The services' names at the issuer. */
export const audiences = { consultation: 'urn:example:consultation', finance: 'urn:example:finance' };

// What each person and each program may do. An issuer of a clinic keeps this in its directory.
const roles = { ana: ['clinician', 'openid-role-of-another-app'], bruno: ['reader'], carla: ['finance'], consultation: ['service'] };

const redirect = 'http://127.0.0.1:1/callback'; // nobody listens: the test reads the address
const secret = randomUUID();

/** Key pairs for `generateKeyPairSync`. */
const kinds = { RS256: ['rsa', { modulusLength: 2048 }], ES256: ['ec', { namedCurve: 'P-256' }], EdDSA: ['ed25519'] };

export function newKey(alg) {
  const { privateKey } = generateKeyPairSync(...kinds[alg]);
  return { ...privateKey.export({ format: 'jwk' }), kid: randomUUID(), alg, use: 'sig' };
}

/** Starts the issuer with these keys; it signs with the last one. */
export async function startIssuer(...keys) {
  const port = await freePort();
  const url = `http://127.0.0.1:${port}`;
  let provider = issuer(url, keys);
  const server = createServer(async (request, response) => {
    if (request.url.startsWith('/interaction/')) await interact(provider, request, response);
    else provider.callback()(request, response);
  });
  await new Promise((resolve) => server.listen(port, '127.0.0.1', resolve));
  return {
    url,
    /** Signs with the last of these keys, and publishes them all. */
    rotateTo: (...others) => { provider = issuer(url, others); },
    stop: () => new Promise((resolve) => { server.close(resolve); server.closeAllConnections(); }),
    byClientCredentials: (audience) => byClientCredentials(url, audience),
    byAuthorizationCode: (person, audience) => byAuthorizationCode(url, person, audience),
  };
}

function issuer(url, keys) {
  const { alg, kid } = keys.at(-1);
  const resource = (ctx, audience) => ({
    audience,
    scope: 'api',
    accessTokenFormat: 'jwt',
    accessTokenTTL: 300,
    jwt: { sign: { alg, kid } },
  });
  return new Provider(url, {
    clients: [
      {
        client_id: 'app', token_endpoint_auth_method: 'none', application_type: 'native',
        redirect_uris: [redirect], grant_types: ['authorization_code'], id_token_signed_response_alg: alg,
      },
      {
        client_id: 'consultation', client_secret: secret, redirect_uris: [], response_types: [],
        grant_types: ['client_credentials'], id_token_signed_response_alg: alg,
      },
    ],
    clientDefaults: { id_token_signed_response_alg: alg },
    enabledJWA: { idTokenSigningAlgValues: Object.keys(kinds) },
    cookies: { keys: [randomUUID()] },
    extraTokenClaims: (ctx, token) => ({ roles: roles[token.accountId ?? token.clientId] }),
    features: {
      clientCredentials: { enabled: true },
      devInteractions: { enabled: false },
      resourceIndicators: { enabled: true, getResourceServerInfo: resource, useGrantedResource: () => true },
    },
    findAccount: (ctx, sub) => ({ accountId: sub, claims: () => ({ sub }) }),
    jwks: { keys },
  });
}

/** Logs the person in whose name the application hinted, and consents: what an issuer's pages do. */
async function interact(provider, request, response) {
  const { prompt, params, session, grantId } = await provider.interactionDetails(request, response);
  if (prompt.name === 'login') {
    await provider.interactionFinished(request, response, { login: { accountId: params.login_hint } });
    return;
  }
  const known = grantId && await provider.Grant.find(grantId);
  const grant = known || new provider.Grant({ accountId: session.accountId, clientId: params.client_id });
  grant.addOIDCScope('openid');
  grant.addResourceScope(params.resource, 'api');
  await provider.interactionFinished(request, response, { consent: { grantId: await grant.save() } });
}

async function byClientCredentials(url, resource) {
  const headers = { authorization: `Basic ${btoa(`consultation:${secret}`)}` };
  return tokens(url, { grant_type: 'client_credentials', scope: 'api', resource }, headers);
}

/** The authorization-code flow with PKCE, as an application and a browser walk it. */
async function byAuthorizationCode(url, person, resource) {
  const code_verifier = randomBytes(32).toString('base64url');
  const query = new URLSearchParams({
    client_id: 'app', response_type: 'code', redirect_uri: redirect, scope: 'openid api', resource, login_hint: person,
    code_challenge: createHash('sha256').update(code_verifier).digest('base64url'), code_challenge_method: 'S256',
  });
  const code = await walk(`${url}/auth?${query}`);
  return tokens(url, { grant_type: 'authorization_code', code, code_verifier, client_id: 'app', redirect_uri: redirect, resource });
}

/** Follows redirects with cookies, to the application's address. Returns the code. */
async function walk(address) {
  const cookies = new Map();
  for (let step = 0; step < 10; step += 1) {
    const cookie = [...cookies].map((pair) => pair.join('=')).join('; ');
    const answer = await fetch(address, { redirect: 'manual', headers: { cookie } });
    for (const set of answer.headers.getSetCookie()) {
      const [name, value] = set.split(';', 1)[0].split('=');
      cookies.set(name, value);
    }
    const location = answer.headers.get('location');
    if (!location) throw new Error(`${answer.status} at ${address}: ${await answer.text()}`);
    address = new URL(location, address).href;
    const code = new URL(address).searchParams.get('code');
    if (address.startsWith(redirect) && code) return code;
    if (address.startsWith(redirect)) break;
  }
  throw new Error(`no code: ${address}`);
}

async function tokens(url, parameters, headers = {}) {
  const answer = await fetch(`${url}/token`, { method: 'POST', headers, body: new URLSearchParams(parameters) });
  const body = await answer.json();
  if (!answer.ok) throw new Error(JSON.stringify(body));
  return body;
}
