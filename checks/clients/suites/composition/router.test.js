// The supergraph of the router in docker/compose.yaml is that of the services.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import test from 'node:test';
import { transformSupergraphToPublicSchema } from '@theguild/federation-composition';
import { buildASTSchema, parse } from 'graphql';
import { routedSupergraph } from '../../supergraph.js';

const file = new URL('../../../../docker/router/supergraph.graphql', import.meta.url);
const committed = readFileSync(file, 'utf8');

/** The graph of each, in the order of the names. */
const SUBSCRIPTIONS = {
  consultationChanged: 'CONSULTATION',
  consultationsChanged: 'CONSULTATION',
  paymentRecorded: 'FINANCE',
  pendingPaymentChanged: 'CONSULTATION',
};

test('the supergraph of the router is the one that both schemas make', () => {
  assert(committed === routedSupergraph(), 'docker/router/supergraph.graphql is old: its first line says how to renew it');
});

test('clients of the router see the operations of both services, and no `node`', () => {
  const schema = buildASTSchema(transformSupergraphToPublicSchema(parse(committed)));
  const fields = (type) => Object.keys(type.getFields()).sort();
  assert.deepEqual(fields(schema.getQueryType()), ['consultation', 'consultations', 'payment', 'payments', 'pendingPayments']);
  assert.deepEqual(fields(schema.getSubscriptionType()), Object.keys(SUBSCRIPTIONS));
  for (const name of ['finishConsultation', 'recordPayments']) assert(fields(schema.getMutationType()).includes(name), name);
});

test('a subscription begins at the service that has it', () => {
  const graph = (field) => committed.match(new RegExp(`^  ${field}\\b[^@]*@join__field\\(graph: (\\w+)\\)`, 'm'))?.[1];
  assert.deepEqual(Object.keys(SUBSCRIPTIONS).map(graph), Object.values(SUBSCRIPTIONS));
});
