// The committed schemas, now and at the last release.
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

export const repository = fileURLToPath(new URL('../../../..', import.meta.url));
export const services = ['consultation', 'finance'];

const options = { cwd: repository, encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] };
const git = (...args) => execFileSync('git', args, options);
const read = (path) => readFileSync(join(repository, path), 'utf8');

export const committed = (service) => read(`${service}/schema.graphql`);
export const atRelease = (release, service) => git('show', `${release}:${service}/schema.graphql`);

/** The last tag `v*` before here; nothing before the first release. */
export function lastRelease() {
  try {
    return git('describe', '--tags', '--abbrev=0', '--match', 'v*').trim();
  } catch {
    return undefined;
  }
}

/** The part of CHANGELOG.md since a release `vVERSION`, above the heading of that version. */
export const unreleased = (release) => read('CHANGELOG.md').split(`\n## [${release.slice(1)}]`)[0];
