// Relay's compiler on a front end's fragments, with the schema of the running service.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { copyFile, mkdtemp, mkdir, readFile, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'node:test';
import { buildClientSchema, getIntrospectionQuery, printSchema } from 'graphql';
import compiler from 'relay-compiler';
import { ask, consultation } from '../../services.js';

test('the compiler takes the schema, its connections and node', { timeout: 60_000 }, async (t) => {
  const directory = await mkdtemp(join(tmpdir(), 'relay-'));
  t.after(() => rm(directory, { recursive: true }));
  const schema = printSchema(buildClientSchema(await ask(consultation, getIntrospectionQuery())));
  await mkdir(join(directory, 'src'));
  await copyFile(new URL('page.js', import.meta.url), join(directory, 'src/page.js'));
  await writeFile(join(directory, 'schema.graphql'), schema);
  await writeFile(join(directory, 'relay.config.json'), JSON.stringify({
    src: 'src',
    schema: 'schema.graphql',
    language: 'typescript',
    artifactDirectory: 'compiled',
    customScalarTypes: { DateTime: 'string', Decimal: 'string', UUID: 'string' },
    featureFlags: { enforce_fragment_alias_where_ambiguous: { kind: 'enabled' } },
  }));
  await mkdir(join(directory, 'compiled'));

  const { status, stdout, stderr } = spawnSync(compiler, ['relay.config.json'], { cwd: directory, encoding: 'utf8' });
  assert.equal(status, 0, stdout + stderr);
  const artifacts = await readdir(join(directory, 'compiled'));
  assert(artifacts.includes('pageListPaginationQuery.graphql.ts'), artifacts);
  const refetch = await readFile(join(directory, 'compiled/pageRowRefetchQuery.graphql.ts'), 'utf8');
  assert.match(refetch, /node\(id: \$id\)/, 'a row is loaded again through node');
  t.diagnostic(`${artifacts.length} artifacts`);
});
