// The tabs of both services tell a story that a newcomer clicks through.
import assert from 'node:assert/strict';
import test, { after, before } from 'node:test';
import { consultation, finance, paid } from '../../services.js';
import { choose, edit, execute, launch, shown, stored, variables, visit } from './browser.js';

const timeout = 60_000;
let browser;
before(async () => { browser = await launch(); });
after(() => browser?.close());

const STARTED = /"startConsultation"[^]*"IN_PROGRESS"/;
const idIn = (response) => /"id": "([^"]+)"/.exec(response)[1];

test('a consultation is started, followed, finished and listed by clicks alone', { timeout }, async () => {
  const { page, context, close } = await visit(browser, `${consultation}/graphiql`);
  const started = await execute(page, '"startDate"');
  assert.match(started, STARTED);
  const id = idIn(started);

  await choose(page, 'Follow');
  assert.deepEqual(JSON.parse(await variables(page)), { id });
  assert.match(await execute(page, '"IN_PROGRESS"'), /"price": null/);

  await stored(page, id);
  const second = await context.newPage();
  await second.goto(`${consultation}/graphiql`);
  await choose(second, 'Finish');
  assert.deepEqual(JSON.parse(await variables(second)), { input: { consultationId: id } });
  assert.match(await execute(second, '"endDate"'), /"price": "200.00"/);
  assert.match(await shown(page, '"FINISHED"'), /"price": "200.00"/);

  await choose(page, 'List');
  assert((await execute(page, '"totalCount"')).includes(id));
  await close();
});

test('the first tab runs again after a reload, for other people', { timeout }, async () => {
  const { page, close } = await visit(browser, `${consultation}/graphiql`);
  const people = await variables(page);
  assert.match(await execute(page, '"startDate"'), STARTED);
  await page.reload();
  assert.notEqual(await variables(page), people);
  assert.match(await execute(page, '"startDate"'), STARTED);
  await close();
});

test('two visitors start for different people', { timeout }, async () => {
  const visitors = await Promise.all([1, 2].map(() => visit(browser, `${consultation}/graphiql`)));
  const ids = await Promise.all(visitors.map(async ({ page }) => Object.values(JSON.parse(await variables(page)).input)));
  assert.equal(new Set(ids.flat()).size, 4);
  await Promise.all(visitors.map(({ close }) => close()));
});

test('an id that a person chose stays after a reload', { timeout }, async () => {
  const { page, close } = await visit(browser, `${consultation}/graphiql`);
  await edit(page, /"patientId": "[^"]+"/, '"patientId": "chosen"');
  await stored(page, 'chosen');
  await page.reload();
  assert.match(await variables(page), /"patientId": "chosen"/);
  await close();
});

test('payments are listed, found and followed by clicks alone, and none is recorded', { timeout }, async () => {
  const [first, { page, close }] = [await paid(), await visit(browser, `${finance}/graphiql`)];
  assert((await execute(page, '"totalCount"')).includes(first));

  await choose(page, 'Find');
  assert.match(await execute(page, '"recordedAt"'), /"totalPrice"/);

  await choose(page, 'Follow');
  await page.getByRole('button', { name: 'Execute query' }).click();
  await page.getByRole('button', { name: 'Stop query' }).waitFor();
  let isShown = false; // the protocol does not tell when the subscription has begun
  const paying = (async () => { while (!isShown) await paid(); })();
  await shown(page, '"paymentRecorded"').finally(() => { isShown = true; });
  await paying;
  await page.getByRole('button', { name: 'Stop query' }).click();
  const payment = await shown(page, '"200.00"');

  await choose(page, 'Find');
  const { appointmentId } = JSON.parse(await variables(page));
  assert(payment.includes(appointmentId), `${appointmentId} of ${payment}`);
  const tabs = await page.evaluate(() => localStorage.getItem('graphiql:tabState'));
  assert(!/^\s*mutation/m.test(JSON.parse(tabs).tabs.map(({ query }) => query).join('\n')), tabs);
  await close();
});
