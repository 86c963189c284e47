// The OpenAPI documents as two linters see them, by their recommended rules, without an error or a warning.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import test from 'node:test';

const here = (path) => fileURLToPath(new URL(path, import.meta.url));
const env = { ...process.env, REDOCLY_TELEMETRY: 'off', REDOCLY_SUPPRESS_UPDATE_NOTICE: 'true' };

function run(program, ...args) {
  const { status, stdout, stderr, error } = spawnSync(here(`../../node_modules/.bin/${program}`), args, { env, encoding: 'utf8' });
  assert.equal(error, undefined);
  return { status, stdout, stderr };
}

for (const service of ['consultation', 'finance']) {
  const document = here(`../../../../${service}/openapi.json`);

  test(`redocly finds nothing in the document of ${service}`, { timeout: 60_000 }, () => {
    const { stdout, stderr } = run('redocly', 'lint', '--extends=recommended', '--format=json', document);
    assert.match(stdout, /"problems"/, stderr);
    assert.deepEqual(JSON.parse(stdout.slice(stdout.indexOf('{'))).problems, []);
  });

  test(`spectral finds nothing in the document of ${service}`, { timeout: 60_000 }, () => {
    const { status, stdout, stderr } = run('spectral', 'lint', `--ruleset=${here('spectral.yaml')}`, '--fail-severity=hint', document);
    assert.equal(status, 0, stdout + stderr);
  });
}
