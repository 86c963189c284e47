// The examples of docs/api.md.
import { readFileSync } from 'node:fs';
import { consultation, finance } from '../../services.js';

const api = readFileSync(new URL('../../../../docs/api.md', import.meta.url), 'utf8');

/** The block after a marker, for the services under test. */
export function example(name, services = { consultation, finance }) {
  const [, block] = api.split(`<!-- ci: client-${name} -->\n`)[1].match(/^```\w+\n([^]*?)^```/m);
  const port = (service) => new URL(service).port;
  return block.replace(/\b8010\b/g, port(services.consultation)).replace(/\b8020\b/g, port(services.finance));
}
