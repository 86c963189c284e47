// The committed schema of consultation follows the recommended and the Relay rules.
import assert from 'node:assert/strict';
import test from 'node:test';
import { complaints } from './lint.js';

test('graphql-eslint has nothing against the schema of consultation', async () => {
  assert.deepEqual(await complaints('consultation'), []);
});
