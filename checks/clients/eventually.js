// Waiting for something that another process does.
import { setTimeout as pause } from 'node:timers/promises';

// Long enough for a busy machine; what takes this long has failed.
const PATIENCE = 20_000;
const ASK_AGAIN_AFTER = 25;

/**
 * Asks until the answer is true-like, and gives it.
 * @template T
 * @param {string} what
 * @param {() => T} ask
 * @returns {Promise<NonNullable<Awaited<T>>>}
 */
export async function eventually(what, ask) {
  const deadline = Date.now() + PATIENCE;
  for (;;) {
    const answer = await ask();
    if (answer) return answer;
    if (Date.now() > deadline) throw new Error(`not within ${PATIENCE / 1000} s: ${what}`);
    await pause(ASK_AGAIN_AFTER);
  }
}
