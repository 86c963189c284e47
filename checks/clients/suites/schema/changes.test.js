// graphql-inspector: a removal was deprecated in the release before, and the CHANGELOG names it.
import assert from 'node:assert/strict';
import test from 'node:test';
import { breaches } from './breaking.js';
import { atRelease, committed, lastRelease, services, unreleased } from './committed.js';

const release = lastRelease();

for (const service of services) {
  test(`the schema of ${service} breaks no client that could not know`, async (t) => {
    t.diagnostic(release ? `${service} compared with ${release}` : `${service} compared with nothing: no release yet`);
    if (!release) return;
    assert.deepEqual(await breaches(atRelease(release, service), committed(service), unreleased(release)), []);
  });
}

const before = `type Query {
  kept(id: ID!): Int
  old: Int @deprecated(reason: "Ask for kept.")
  loved: Int
}`;

test('the check lets additions pass', async () => {
  assert.deepEqual(await breaches(before, before.replace('kept', 'added: Int\n  kept'), ''), []);
});

test('the check refuses a removal that the CHANGELOG does not name', async () => {
  const after = before.replace(/^  old.*\n/m, '');
  assert.equal((await breaches(before, after, 'Something else.')).length, 1);
  assert.deepEqual(await breaches(before, after, '- `Query.old` is gone.'), []);
});

test('the check refuses the removal of what was not deprecated', async () => {
  const after = before.replace(/^  loved.*\n/m, '');
  const [breach] = await breaches(before, after, '- `Query.loved` is gone.');
  assert.match(breach, /'loved' was removed.*not deprecated/);
});

test('the check refuses a required argument and another type, unless the CHANGELOG names them', async () => {
  const after = before.replace('id: ID!', 'id: ID!, more: Int!').replace('loved: Int', 'loved: String');
  assert.equal((await breaches(before, after, '')).length, 2);
  assert.deepEqual(await breaches(before, after, '- `Query.kept.more` is needed, `Query.loved` is a text.'), []);
});
