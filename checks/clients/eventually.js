// Waits for an effect of another process.
import { setTimeout as pause } from 'node:timers/promises';

// Limit on a busy machine; a longer wait is a failure.
const TIMEOUT = 20_000;
const POLL_INTERVAL = 25;

/**
 * Asks until the answer is truthy. Returns it.
 * @template T
 * @param {string} what
 * @param {() => T} ask
 * @returns {Promise<NonNullable<Awaited<T>>>}
 */
export async function eventually(what, ask) {
  const deadline = Date.now() + TIMEOUT;
  for (;;) {
    const answer = await ask();
    if (answer) return answer;
    if (Date.now() > deadline) throw new Error(`not within ${TIMEOUT / 1000} s: ${what}`);
    await pause(POLL_INTERVAL);
  }
}
