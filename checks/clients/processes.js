// Real processes of the workspace's programs, in a scratch directory.
import { spawn } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { openSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { eventually } from './eventually.js';

// Below the ports of outgoing connections (from 32768 on Linux).
const [FIRST_PORT, PORTS] = [12_000, 20_000];

/** A port of this machine that was free a moment ago. */
export async function freePort() {
  for (;;) {
    const port = FIRST_PORT + Math.floor(Math.random() * PORTS);
    const free = await new Promise((resolve) => {
      const server = createServer().once('error', () => resolve(false));
      server.listen(port, '127.0.0.1', () => server.close(() => resolve(true)));
    });
    if (free) return port;
  }
}

/** Starts both services on free ports, by default without further settings. `log` reads their log, `stop` ends and removes them. */
export async function startServices(program, settings = {}) {
  const [consultation, finance] = [`127.0.0.1:${await freePort()}`, `127.0.0.1:${await freePort()}`];
  const directory = await mkdtemp(join(tmpdir(), 'clients-'));
  const file = join(directory, 'log');
  const output = openSync(file, 'w');
  const child = spawn(program, {
    cwd: directory,
    env: {
      CONSULTATION_BIND: consultation, CONSULTATION_METRICS_BIND: 'none', FINANCE_BIND: finance, FINANCE_METRICS_BIND: 'none', ...settings,
    },
    stdio: ['ignore', output, output],
  });
  const ended = new Promise((resolve) => child.once('error', resolve).once('exit', resolve));
  const log = () => readFile(file, 'utf8');
  const stop = async () => {
    child.kill();
    await ended;
    await rm(directory, { recursive: true });
  };
  const urls = { consultation: `http://${consultation}`, finance: `http://${finance}` };
  try {
    await Promise.race([
      Promise.all(Object.values(urls).map((url) => eventually(`${url} is ready`, () => isReady(url)))),
      ended.then((reason) => { throw new Error(`${program} ended: ${reason}`); }),
    ]);
  } catch (error) {
    error.message += `\n${await log()}`;
    await stop();
    throw error;
  }
  return { ...urls, log, stop };
}

const isReady = (url) => fetch(`${url}/readyz`).then((answer) => answer.ok, () => false);
