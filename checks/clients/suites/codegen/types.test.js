// graphql-codegen's client preset with strict scalars, and the TypeScript compiler on a program that uses it.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { rm } from 'node:fs/promises';
import { createRequire } from 'node:module';
import test from 'node:test';
import { fileURLToPath } from 'node:url';
import { generate } from '@graphql-codegen/cli';
import { consultation, finance, headers } from '../../services.js';

const here = (path) => fileURLToPath(new URL(path, import.meta.url));
const compiler = createRequire(import.meta.url).resolve('typescript/bin/tsc');
const scalars = { DateTime: 'string', Decimal: 'string', UUID: 'string', _Any: 'never' };

const node = (...args) => {
  const { status, stdout, stderr } = spawnSync(process.execPath, args, { cwd: here('.'), encoding: 'utf8' });
  assert.equal(status, 0, stdout + stderr);
};

test('types are generated from both schemas', { timeout: 60_000 }, async () => {
  await rm(here('generated'), { recursive: true, force: true });
  const generates = Object.entries({ consultation, finance }).map(([name, service]) => [here(`generated/${name}/`), {
    preset: 'client',
    schema: { [`${service}/graphql`]: { headers } },
    documents: here(`${name}.graphql`),
    config: { strictScalars: true, scalars, useTypeImports: true, enumsAsTypes: true },
    presetConfig: { fragmentMasking: false },
  }]);
  await generate({ generates: Object.fromEntries(generates), emitLegacyCommonJSImports: false, silent: true }, true);
});

test('the compiler agrees with a program that uses them', () => node(compiler));

test('the program starts, is refused, finishes and sees the payment', () => {
  node(here('generated/js/suites/codegen/program.js'));
});
