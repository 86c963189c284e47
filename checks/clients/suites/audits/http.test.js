// The audits of the GraphQL-over-HTTP specification, on both services behind Basic.
import assert from 'node:assert/strict';
import test from 'node:test';
import { serverAudits } from 'graphql-http';
import { consultation, finance, headers } from '../../services.js';

const fetchFn = (url, options = {}) => fetch(url, { ...options, headers: { ...options.headers, ...headers } });

for (const [name, service] of Object.entries({ consultation, finance })) {
  test(`${name} passes every audit`, async (t) => {
    const audits = serverAudits({ url: `${service}/graphql`, fetchFn });
    const failed = [];
    for (const audit of audits) {
      const result = await audit.fn();
      if (result.status !== 'ok') failed.push(`${result.status}: ${audit.name} (${audit.id}): ${result.reason}`);
    }
    t.diagnostic(`${name} ${audits.length - failed.length} of ${audits.length}`);
    assert.equal(audits.length, 61);
    assert.deepEqual(failed, []);
  });
}
