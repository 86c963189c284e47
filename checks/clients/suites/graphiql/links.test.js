// Links to GraphiQL: one with an operation opens it as a tab, and each service's page links to the other's.
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import test, { after, before } from 'node:test';
import { ask, consultation, finance, password, username } from '../../services.js';
import { execute, launch, shown, variables, visit } from './browser.js';

const timeout = 60_000;
let browser;
before(async () => { browser = await launch(); });
after(() => browser?.close());

const START = `mutation Linked($input: StartConsultationInput!) {
  startConsultation(input: $input) { consultation { id } }
}`;
const page = (service, parameters) => `${service}/graphiql?${new URLSearchParams(parameters)}`;
const title = (window) => window.locator('.graphiql-tab-active').innerText();

/** The number of tabs, once they are there. */
async function tabs(window) {
  await window.locator('.graphiql-tab-active').waitFor();
  return window.getByRole('tab').count();
}

/** Whether a consultation of the patient was started. */
async function isStarted({ patientId }) {
  const query = 'query ($filter: ConsultationFilter) { consultations(filter: $filter) { totalCount } }';
  return (await ask(consultation, query, { filter: { patientId } })).consultations.totalCount > 0;
}

test('a linked operation opens as a tab of its own, and runs by a click only', { timeout }, async () => {
  const input = { physicianId: randomUUID(), patientId: randomUUID() };
  const { page: window, close } = await visit(browser, page(consultation, { query: START, variables: JSON.stringify({ input }) }));
  assert.equal(await title(window), 'Linked');
  assert.deepEqual(JSON.parse(await variables(window)), { input });
  assert.equal(await tabs(window), 5);
  await window.waitForLoadState('networkidle');
  assert.equal(await isStarted(input), false, 'the page ran it');
  await execute(window, '"startConsultation"');
  assert.equal(await isStarted(input), true);
  await close();
});

test('a link that is opened again opens no second tab, nor does a reload', { timeout }, async () => {
  const address = page(consultation, { query: '{ __typename }' });
  const { page: window, close } = await visit(browser, address);
  assert.equal(window.url(), `${consultation}/graphiql`);
  await window.reload();
  assert.equal(await tabs(window), 5);
  await window.goto(address);
  assert.equal(await tabs(window), 5);
  await execute(window, '"Query"');
  await close();
});

test('of several operations the link chooses one', { timeout }, async () => {
  const query = '# Two operations\nquery First { first: __typename }\nquery Second { second: __typename }';
  const { page: window, close } = await visit(browser, page(consultation, { query, operationName: 'Second' }));
  assert.equal(await title(window), 'Second');
  await window.waitForFunction(() => document.querySelector('.graphiql-query-editor .CodeMirror').CodeMirror.operations?.length === 2);
  await window.locator('.graphiql-query-editor textarea').focus();
  await window.keyboard.press('Control+Enter');
  await shown(window, '"second"');
  await close();
});

test('a link with nonsense is shown as it is, and does no harm', { timeout }, async () => {
  const nonsense = { query: '<script>complain(1)</script>', variables: '{"a": "</main><img src=x onerror=complain(2)>', operationName: '"' };
  const { page: window, close } = await visit(browser, page(finance, nonsense));
  assert.equal(await variables(window), nonsense.variables);
  assert.match(await execute(window, 'invalid JSON'), /Variables are invalid JSON/);
  await close();
});

test('each service links to the other one', { timeout }, async () => {
  const context = await browser.newContext({ httpCredentials: { username, password } });
  const window = await context.newPage();
  await window.goto(`${consultation}/graphiql`);
  await window.getByRole('link', { name: 'finance' }).click();
  await window.waitForURL(`${finance}/graphiql`);
  await window.getByRole('link', { name: 'consultation' }).click();
  await window.waitForURL(`${consultation}/graphiql`);
  await context.close();
});
