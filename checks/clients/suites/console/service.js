// Both services with a user for each role, and payments in every state, for the pages of the console.
import { spawnSync } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { eventually } from '../../eventually.js';
import { startServices } from '../../processes.js';
import { basic } from '../../services.js';

const program = process.env.PROGRAM ?? '../../target/debug/all-in-one';
export const roles = ['reader', 'clinician', 'finance', 'operator', 'service'];
export const password = 'roles-test';
const hash = '$2b$04$abcdefghijklmnopqrstuu.MicuvJ1bjbWMyBZzEbg21L5q/1SrSK';

/** A text that is harmful wherever it is not escaped. */
export const HOSTILE = '<script>alert(1)</script>"\'><img src=x onerror=alert(1)> '.repeat(6);

/** Starts both services. `finish` makes a payment, `refuse` one that finance refuses; `sql` changes consultation's database behind its back. */
export async function start(settings = {}) {
  const directory = await mkdtemp(join(tmpdir(), 'console-'));
  const [users, groups, database] = ['users', 'groups', 'consultation.sqlite'].map((name) => join(directory, name));
  await writeFile(users, roles.map((role) => `${role}:${hash}\n`).join(''));
  await writeFile(groups, roles.map((role) => `${role}: ${role}\n`).join(''));
  const services = await startServices(program, {
    CONSULTATION_HTPASSWD_FILE: users, CONSULTATION_GROUPS_FILE: groups,
    FINANCE_HTPASSWD_FILE: users, FINANCE_GROUPS_FILE: groups,
    CONSULTATION_DATABASE_URL: `sqlite://${database}`,
    CONSULTATION_FINANCE_USERNAME: 'service', CONSULTATION_FINANCE_PASSWORD: password,
    ...settings,
  });
  const stop = async () => {
    await services.stop();
    await rm(directory, { recursive: true });
  };
  return { ...services, stop, sql: (statement) => sql(database, statement), finish: () => finish(services), refuse: () => finish(services, '1.00') };
}

const START = 'mutation ($input: StartConsultationInput!) { startConsultation(input: $input) { consultation { id } } }';
const FINISH = 'mutation ($input: FinishConsultationInput!) { finishConsultation(input: $input) { consultation { id } } }';
const RECORD = 'mutation ($input: RecordPaymentInput!) { recordPayment(input: $input) { alreadyRecorded } }';

/** Runs a statement that the service would not. */
function sql(database, statement) {
  const code = 'import sqlite3, sys; c = sqlite3.connect(sys.argv[1], timeout=10); c.executescript(sys.argv[2]); c.commit()';
  const { status, stderr } = spawnSync('python3', ['-c', code, database, statement], { encoding: 'utf8' });
  if (status !== 0) throw new Error(stderr);
}

/** The id of a consultation that was started and finished just now. Finance refuses its payment if it has another amount. */
async function finish({ consultation, finance }, recorded) {
  const input = { physicianId: randomUUID(), patientId: randomUUID() };
  const { startConsultation } = await ask(consultation, 'clinician', START, { input });
  const { id } = startConsultation.consultation;
  if (recorded) await ask(finance, 'finance', RECORD, { input: { appointmentId: id, totalPrice: recorded } });
  await ask(consultation, 'clinician', FINISH, { input: { consultationId: id } });
  return id;
}

async function ask(service, user, query, variables) {
  const headers = { authorization: basic(user, password), 'content-type': 'application/json' };
  const answer = await fetch(`${service}/graphql`, { method: 'POST', headers, body: JSON.stringify({ query, variables }) });
  const { data, errors } = await answer.json();
  if (errors) throw new Error(JSON.stringify(errors));
  return data;
}

/** Waits until a page of the console shows the text. */
export const shows = (service, text) => eventually(`the console shows ${text}`, async () => {
  const answer = await fetch(`${service}/console`, { headers: { authorization: basic('operator', password) } });
  return (await answer.text()).includes(text);
});
