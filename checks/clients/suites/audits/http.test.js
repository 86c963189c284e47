// The audits of the GraphQL-over-HTTP specification, on both services behind Basic.
import assert from 'node:assert/strict';
import test from 'node:test';
import { audit } from '../../audit.js';
import { consultation, finance, headers } from '../../services.js';

const fetchFn = (url, options = {}) => fetch(url, { ...options, headers: { ...options.headers, ...headers } });

for (const [name, service] of Object.entries({ consultation, finance })) {
  test(`${name} passes every audit`, async (t) => {
    const { count, failed } = await audit(`${service}/graphql`, fetchFn);
    t.diagnostic(`${name} ${count - failed.length} of ${count}`);
    assert.equal(count, 61);
    assert.deepEqual(failed, []);
  });
}
