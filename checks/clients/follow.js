// Subscriptions to consultations and payments with any client: `iterate` takes an operation and returns its results.
import assert from 'node:assert/strict';
import { EventEmitter, on } from 'node:events';
import { eventually } from './eventually.js';
import { finish, paid, started } from './services.js';

export const CHANGED = `subscription ($id: ID!) {
  consultationChanged(id: $id) { id status price pendingPayment { status } }
}`;
export const RECORDED = 'subscription { paymentRecorded { appointmentId totalPrice } }';

/** A new consultation is shown at once, and at each change until its payment is confirmed. */
export async function followConsultation(iterate) {
  const id = await started();
  const seen = [];
  for await (const { data, errors } of iterate({ query: CHANGED, variables: { id } })) {
    assert.equal(errors, undefined);
    seen.push(data.consultationChanged);
    if (seen.length === 1) await finish(id);
    if (seen.at(-1).pendingPayment?.status === 'FINISHED') break;
  }
  assert(seen.every((consultation) => consultation.id === id));
  assert.deepEqual([seen[0].status, seen[0].price], ['IN_PROGRESS', null]);
  assert.deepEqual([seen.at(-1).status, seen.at(-1).price], ['FINISHED', '200.00']);
}

/** Each payment is shown once, when it is recorded. */
export async function followPayments(iterate) {
  const results = iterate({ query: RECORDED });
  // The protocol does not tell when a subscription has begun: payments are made until it shows one.
  let begun = false;
  const first = results.next();
  first.catch(() => {}).finally(() => { begun = true; });
  const made = [];
  await eventually('the subscription shows a payment', async () => made.push(await paid()) && begun);
  made.push(await paid());

  const seen = [await payment(await first)];
  while (seen.at(-1) !== made.at(-1)) seen.push(await payment(await results.next()));
  await results.return();
  assert.deepEqual(seen, made.slice(-seen.length));
}

function payment({ done, value }) {
  assert(!done, 'the subscription has ended');
  assert.equal(value.errors, undefined);
  assert.equal(value.data.paymentRecorded.totalPrice, '200.00');
  return value.data.paymentRecorded.appointmentId;
}

/** The results of a client with callbacks. `subscribe` takes the callbacks and returns what unsubscribes. */
export async function* called(subscribe) {
  const emitter = new EventEmitter();
  const results = on(emitter, 'result');
  const unsubscribe = subscribe((result) => emitter.emit('result', result), (error) => emitter.emit('error', error));
  try {
    for await (const [result] of results) yield result;
  } finally {
    unsubscribe();
  }
}
