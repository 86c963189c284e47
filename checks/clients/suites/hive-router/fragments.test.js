// Documents whose fragments unfold: Hive Router copies each spread, HAProxy counts before.
import assert from 'node:assert/strict';
import test from 'node:test';
import { gzipSync } from 'node:zlib';
import { getIntrospectionQuery } from 'graphql';
import { basic, headers, username } from '../../services.js';
import { ask, startGraph } from './graph.js';

const timeout = 60_000;
const TYPENAME = '{ __typename }';
const NESTED = 30;
const post = (url, body, more = {}) => fetch(url, {
  method: 'POST', headers: { ...headers, 'content-type': 'application/json', ...more }, body,
});

/** A document that unfolds to 2^30 fields. `spread` writes a spread of a fragment. */
function bomb(spread = (name) => `...${name} `) {
  const level = (_, i) => `fragment F${i} on Query { ${spread(`F${i + 1}`).repeat(2)}}`;
  return `{ ${spread('F0')}} ${Array.from({ length: NESTED }, level).join(' ')} fragment F${NESTED} on Query { __typename }`;
}

test('a bomb of fragments is refused however it is written, and the graph goes on', { timeout }, async (t) => {
  const url = await startGraph(t);
  const query = bomb();
  const json = JSON.stringify({ query });
  const bombs = {
    'as it is': () => post(url, json),
    'without spaces': () => post(url, JSON.stringify({ query: bomb((name) => `...${name}`) })),
    'a comment in each spread': () => post(url, JSON.stringify({ query: bomb((name) => `...#\n${name} `) })),
    'a byte order mark in each spread': () => post(url, JSON.stringify({ query: bomb((name) => `...\uFEFF${name} `) })),
    'commas and line breaks in each spread': () => post(url, JSON.stringify({ query: bomb((name) => `...\n,\t${name} `) })),
    'dots by escapes': () => post(url, json.replaceAll('...', '.\\u002e\\u002E')),
    'names by escapes': () => post(url, json.replaceAll('...F', '...\\u0046')),
    'names that begin like an inline fragment': () => post(url, JSON.stringify({ query: query.replaceAll('F', 'on') })),
    'the same with an escape': () => post(url, json.replaceAll('F', 'on\\u005f')),
    'by GET': () => fetch(`${url}?${new URLSearchParams({ query })}`, { headers }),
    'by GET, dots by escapes': () => fetch(`${url}?${new URLSearchParams({ query }).toString().replaceAll('.', '%2e')}`, { headers }),
    'by a caller with a wrong password': () => post(url, json, { authorization: basic(username, 'wrong') }),
  };
  for (const [way, send] of Object.entries(bombs)) {
    await t.test(way, async () => {
      const answer = await send();
      const { errors } = await answer.json();
      assert.deepEqual([answer.status, errors[0].extensions.code], [400, 'OPERATION_TOO_LARGE']);
      assert.deepEqual((await ask(url, TYPENAME)).data, { __typename: 'Query' });
    });
  }

  await t.test('compressed', async () => {
    const answer = await post(url, gzipSync(json), { 'content-encoding': 'gzip' });
    assert.equal(answer.status, 415);
    assert.deepEqual((await ask(url, TYPENAME)).data, { __typename: 'Query' });
  });
});

test('the largest document that fragments may unfold to is answered', { timeout }, async (t) => {
  const url = await startGraph(t);
  const leaf = '__typename '.repeat(730);
  const answer = await ask(url, `{ ${'...A '.repeat(3)}} fragment A on Query { ${'...B '.repeat(5)}} fragment B on Query { ${leaf}}`);
  assert.deepEqual(answer.data, { __typename: 'Query' });
  const more = await ask(url, `{ ${'__typename '.repeat(1000)}}`);
  assert.match(JSON.stringify(more.errors), /token/i);
});

test('documents of tools and of people pass', { timeout }, async (t) => {
  const url = await startGraph(t);
  const everything = { specifiedByUrl: true, directiveIsRepeatable: true, schemaDescription: true, inputValueDeprecation: true, oneOf: true };
  const fields = Array.from({ length: 10 }, (_, i) => `a${i}: consultations(first: ${i + 1}) { edges { node { ...C } } }`).join(' ');
  for (const query of [
    getIntrospectionQuery(everything),
    `{ ${fields} } fragment C on Consultation { id price payment { totalPrice } }`,
    `{ ${'... on Query { __typename } '.repeat(30)} ${'... @include(if: true) { __typename } '.repeat(30)} }`,
  ]) {
    assert.equal((await ask(url, query)).errors, undefined);
  }
});
