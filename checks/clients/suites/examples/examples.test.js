// The examples of docs/api.md, as a reader runs them.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { rmSync, writeFileSync } from 'node:fs';
import test from 'node:test';
import { fileURLToPath } from 'node:url';
import { paid } from '../../services.js';
import { example } from './document.js';

/** Runs the example until it has printed `wanted`. */
async function prints(t, name, [command, extension], wanted) {
  const file = fileURLToPath(new URL(`example-${name}.${extension}`, import.meta.url)); // beside its packages
  writeFileSync(file, example(name));
  t.after(() => rmSync(file));
  const program = spawn(command, [file], { stdio: ['ignore', 'pipe', 'pipe'] });
  t.after(() => program.kill());
  let [printed, complaints] = ['', ''];
  program.stderr.on('data', (text) => { complaints += text; });
  const done = new Promise((resolve) => program.stdout.on('data', (text) => {
    printed += text;
    if (wanted.test(printed)) resolve();
  }));
  const ended = once(program, 'close');
  await Promise.race([done, ended]);
  assert.match(printed, wanted, complaints);
  return { ended, program };
}

const [node, python] = [[process.execPath, 'mjs'], ['python3', 'py']];

test('Apollo Client lists consultations', async (t) => {
  await paid();
  await prints(t, 'apollo', node, /totalCount: [1-9]/);
});

test('Python lists payments', async (t) => {
  await paid();
  const { ended, program } = await prints(t, 'python', python, /'totalPrice': '200.00'/);
  await ended;
  assert.equal(program.exitCode, 0);
});

test('urql shows payments as they are recorded', async (t) => {
  // The protocol does not tell when the subscription has begun: payments are made until it shows one.
  let shown = false;
  const paying = (async () => { while (!shown) await paid(); })();
  t.after(() => paying);
  await prints(t, 'urql', node, /totalPrice: '200.00'/).finally(() => { shown = true; });
});
