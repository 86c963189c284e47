// The REST endpoints against their OpenAPI description, with generated requests of schemathesis:
//
//   pip install -r checks/clients/suites/openapi/requirements.txt
//
// SCHEMATHESIS is the path of the program, if it is not on the PATH.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'node:test';
import { consultation, finance, headers } from '../../services.js';

const program = process.env.SCHEMATHESIS ?? 'schemathesis';
const SEED = 1; // the same cases in each run

for (const [name, service] of Object.entries({ consultation, finance })) {
  test(`${name} is as its OpenAPI document says`, { timeout: 120_000 }, (t) => {
    const directory = mkdtempSync(join(tmpdir(), 'schemathesis-'));
    t.after(() => rmSync(directory, { recursive: true }));
    const args = ['run', `${service}/openapi.json`, '--header', `Authorization: ${headers.authorization}`,
      '--seed', SEED, '--max-examples', 100, '--no-color',
      // Valid data may break a rule that no schema has, as for a patient in a consultation: 400 too.
      '--exclude-checks', 'positive_data_acceptance'];
    const { status, stdout, stderr, error } = spawnSync(program, args.map(String), { cwd: directory, encoding: 'utf8' });
    assert.equal(error, undefined);
    assert.equal(status, 0, stdout + stderr);
    const [cases] = stdout.match(/\d+ generated/) ?? [stdout];
    t.diagnostic(`${name} ${cases}`);
  });
}
