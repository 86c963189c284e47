// The committed schema of consultation follows the recommended and the Relay rules.
import assert from 'node:assert/strict';
import test from 'node:test';
import { complaints } from './lint.js';

// A pending payment is found by its consultation's id; the rule has no exceptions.
const ACCEPTED = ["type PendingPaymentEdge @shareable { Edge type's field `node` must implement `Node` interface."];

test('graphql-eslint has nothing against the schema of consultation', async () => {
  assert.deepEqual(await complaints('consultation'), ACCEPTED);
});
