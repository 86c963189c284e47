// The schemas for gateways that check tokens themselves: both composers keep the roles of each field.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { dirname, join } from 'node:path';
import test from 'node:test';
import { composeServices } from '@apollo/composition';
import { composeServices as composeFree } from '@theguild/federation-composition';
import { parse } from 'graphql';

const programs = dirname(process.env.PROGRAM ?? '../../target/debug/all-in-one');

const subgraphs = ['consultation', 'finance'].map((name) => {
  const sdl = execFileSync(join(programs, name), ['schema', '--requires-scopes'], { encoding: 'utf8' });
  return { name, url: `http://${name}/graphql`, typeDefs: parse(sdl) };
});

for (const [composer, compose] of Object.entries({ '@apollo/composition': composeServices, '@theguild/federation-composition': composeFree })) {
  test(`${composer} keeps the roles of each field`, () => {
    const { errors, supergraphSdl } = compose(subgraphs);
    assert.deepEqual(errors ?? [], []);
    assert.deepEqual(rolesOf(supergraphSdl, 'Query', 'pendingPayments'), [['reader'], ['finance'], ['operator']]);
    assert.deepEqual(rolesOf(supergraphSdl, 'Mutation', 'recordPayments'), [['service']]);
    assert.deepEqual(rolesOf(supergraphSdl, 'Consultation', 'patientId'), [['reader'], ['clinician']]);
    assert.equal(rolesOf(supergraphSdl, 'Consultation', 'price'), undefined);
  });
}

/** The roles, of which one is enough. */
function rolesOf(sdl, type, name) {
  const definition = parse(sdl).definitions.find((one) => one.kind === 'ObjectTypeDefinition' && one.name.value === type);
  const field = definition.fields.find((one) => one.name.value === name);
  const scopes = field.directives.find((directive) => directive.name.value === 'requiresScopes')?.arguments[0].value;
  return scopes?.values.map((all) => all.values.map(({ value }) => value));
}
