// The committed schemas for clients are what introspection shows, without what a gateway asks for.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import test from 'node:test';
import { buildClientSchema, buildSchema, getIntrospectionQuery, lexicographicSortSchema, printSchema } from 'graphql';
import { ask, consultation, finance } from '../../services.js';
import { repository } from './committed.js';

const print = (schema) => printSchema(lexicographicSortSchema(schema));

/** What the service shows, without the types and fields whose names begin with an underscore. */
async function shown(service) {
  const { __schema: schema } = await ask(service, getIntrospectionQuery({ specifiedByUrl: true, inputValueDeprecation: true }));
  const isOurs = ({ name }) => !/^_(?!_)/.test(name);
  const types = schema.types.filter(isOurs).map((type) => ({ ...type, fields: type.fields?.filter(isOurs) ?? null }));
  return print(buildClientSchema({ __schema: { ...schema, types } }));
}

for (const [name, service] of Object.entries({ consultation, finance })) {
  test(`the schema for clients of ${name} is what introspection shows`, async () => {
    const committed = readFileSync(join(repository, name, 'client.graphql'), 'utf8');
    assert.equal(print(buildSchema(committed)), await shown(service));
  });
}
