// Hive Router and the HAProxy before it, by the files of docker/router, over the services under test.
import { spawn } from 'node:child_process';
import { openSync } from 'node:fs';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { eventually } from '../../eventually.js';
import { freePort } from '../../processes.js';
import { consultation, finance, headers } from '../../services.js';

/** Starts both until the test ends. `moved` has other addresses of the services. Returns the address of the graph. */
export async function startGraph(t, moved = {}) {
  const router = process.env.HIVE_ROUTER;
  if (!router) throw new Error('HIVE_ROUTER is not set: the path of the program hive_router');
  const directory = await mkdtemp(join(tmpdir(), 'graph-'));
  t.after(() => rm(directory, { recursive: true }));
  const [routed, port] = [await freePort(), await freePort()];
  await configure(directory, { consultation, finance, ...moved }, routed, port);
  const log = openSync(join(directory, 'log'), 'w');
  const start = (program, args, env = {}) => {
    const child = spawn(program, args, { cwd: directory, env: { PATH: process.env.PATH, ...env }, stdio: ['ignore', log, log] });
    const ended = new Promise((resolve) => child.once('error', resolve).once('exit', resolve));
    t.after(async () => {
      child.kill();
      await ended;
    });
    return ended.then((reason) => { throw new Error(`${program} ended: ${reason}`); });
  };
  const url = `http://127.0.0.1:${port}/graphql`;
  const ended = [
    start(router, [], { ROUTER_CONFIG_FILE_PATH: join(directory, 'router.config.yaml'), HOST: '127.0.0.1', PORT: `${routed}` }),
    start(process.env.HAPROXY ?? 'haproxy', ['-db', '-f', 'haproxy.cfg']),
  ];
  ended.forEach((end) => end.catch(() => {})); // after the test they may
  const ready = () => ask(url, '{ __schema { queryType { name } } }').then(({ status }) => status === 200, () => false);
  await Promise.race([eventually('the graph answers', ready), ...ended]).catch(async (error) => {
    error.message += `\n${await readFile(join(directory, 'log'), 'utf8')}`;
    throw error;
  });
  return url;
}

/** The committed files, with addresses of this machine. */
async function configure(directory, services, routed, port) {
  const copy = async (name, replacements) => {
    const text = await readFile(new URL(`../../../../docker/router/${name}`, import.meta.url), 'utf8');
    await writeFile(join(directory, name), replacements.reduce((now, [from, to]) => now.replace(from, to), text));
  };
  await copy('router.config.yaml', []);
  await copy('supergraph.graphql', [['http://gateway:8010', services.consultation], ['http://gateway:8020', services.finance]]);
  await copy('admit.lua', []);
  const login = `127.0.0.1:${await freePort()}`;
  await copy('haproxy.cfg', [
    ['bind :4000', `bind 127.0.0.1:${port}`], ['router:4000', `127.0.0.1:${routed}`],
    ['bind 127.0.0.1:4001', `bind ${login}`], ['127.0.0.1:4001', login], ['gateway:8010', new URL(services.consultation).host],
  ]);
}

/** Sends an operation. Returns the status, the headers and the body. */
export async function ask(url, query, variables, more = headers) {
  const answer = await fetch(url, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...more },
    body: JSON.stringify({ query, variables }),
  });
  return { status: answer.status, headers: answer.headers, ...await answer.json() };
}
