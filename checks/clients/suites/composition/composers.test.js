// Both composers of the federation world take both services.
import assert from 'node:assert/strict';
import test from 'node:test';
import { composeServices, compositionHasErrors } from '@theguild/federation-composition';
import { buildSchema } from 'graphql';
import { compose, subgraphs } from '../../supergraph.js';

test('@apollo/composition composes both services', async (t) => {
  const { errors, hints, supergraphSdl } = await compose();
  assert.deepEqual(errors ?? [], []);
  checkSupergraph(supergraphSdl);
  for (const { coordinate, message } of hints) console.log(coordinate, message);
  t.diagnostic(`${hints.length} hints`);
});

test('@theguild/federation-composition composes both services', async () => {
  const result = composeServices(await subgraphs());
  assert(!compositionHasErrors(result), result.errors?.join('\n'));
  checkSupergraph(result.supergraphSdl);
});

/** The types of both services are merged; `node`, which each service has for itself, is left out. */
function checkSupergraph(sdl) {
  const schema = buildSchema(sdl, { assumeValidSDL: true });
  const fields = Object.keys(schema.getType('Consultation').getFields());
  assert(['price', 'pendingPayment', 'payment'].every((field) => fields.includes(field)), fields);
  assert.match(sdl, /node\([^)]*\): Node[^\n]*@inaccessible/);
}
