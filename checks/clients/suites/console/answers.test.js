// The refresh of the console when answers hang, refuse, or are not wanted any more.
import assert from 'node:assert/strict';
import test, { after, before } from 'node:test';
import { basic } from '../../services.js';
import { launch, visit } from './browser.js';
import { password, start } from './service.js';

const timeout = 60_000;
const isRefresh = (request) => request.resourceType() === 'fetch';
let services, browser;

before(async () => { [services, browser] = await Promise.all([start(), launch()]); });
after(async () => {
  await browser?.close();
  await services?.stop();
});

/** Opens the console for a user, by whose clock 5 s pass in `refreshes`. */
async function open(user, { path = '', ...options } = {}) {
  const visited = await visit(browser, user, options);
  const { page } = visited;
  await page.clock.install();
  await page.addInitScript(() => {
    const limit = AbortSignal.timeout.bind(AbortSignal);
    AbortSignal.timeout = (milliseconds) => limit(milliseconds / 100); // which the clock does not move
  });
  await page.goto(`${services.consultation}/console${path}`);
  const refreshes = () => Promise.all([page.waitForRequest(isRefresh), page.clock.runFor(5_000)]);
  return { ...visited, refreshes };
}

test('a refresh that hangs is told, and is not the last', { timeout }, async () => {
  const { page, context, refreshes, close } = await open('reader');
  await context.route('**/console', () => {}); // never answered
  await refreshes();
  await page.locator('#news').getByText('The console does not answer').waitFor();
  await context.unroute('**/console');
  await refreshes();
  await page.locator('#news', { hasNotText: 'does not answer' }).waitFor({ state: 'attached' });
  await close();
});

test('a pause and a hidden tab end the refresh in progress', { timeout }, async () => {
  const { page, context, refreshes, close } = await open('reader');
  await page.evaluate(() => { AbortSignal.timeout = () => new AbortController().signal; });
  await context.route('**/console', () => {});
  const ends = () => page.waitForEvent('requestfailed', isRefresh);
  await refreshes();
  await Promise.all([ends(), page.getByRole('button', { name: 'Pause' }).click()]);
  await Promise.all([page.waitForRequest(isRefresh), page.getByRole('button', { name: 'Resume' }).click()]);
  await Promise.all([ends(), page.evaluate(() => {
    Object.defineProperty(document, 'hidden', { configurable: true, get: () => true });
    document.dispatchEvent(new Event('visibilitychange'));
  })]);
  assert.equal(await page.locator('#news').textContent(), '', 'nothing is lost');
  await close();
});

for (const [status, user, path, title] of [[403, 'clinician', '', 'Not permitted'], [404, 'reader', '/payments/1', 'Not found']]) {
  test(`a page that answers ${status} is shown in place of the old one`, { timeout }, async () => {
    const { page, context, refreshes, close } = await open('reader', { status: [status] });
    const answer = await fetch(`${services.consultation}/console${path}`, { headers: { authorization: basic(user, password) } });
    assert.equal(answer.status, status);
    const body = await answer.text();
    await context.route('**/console', (route) => route.fulfill({ status, contentType: 'text/html', body }));
    await refreshes();
    await page.getByRole('heading', { name: title }).waitFor();
    assert.equal(await page.locator('#live').count(), 0, 'nothing old is left');
    assert.equal(await page.evaluate(() => document.activeElement.id), 'content');
    await close();
  });
}

test('a login that is not accepted any more is told, and not tried again', { timeout }, async () => {
  const { page, context, refreshes, close } = await open('reader', { status: [401] });
  await context.route('**/console', (route) => route.fulfill({ status: 401, body: 'who is it?' }));
  await refreshes();
  await page.locator('#news').getByText('The login is not accepted any more').waitFor();
  let tried = false;
  page.on('request', () => { tried = true; });
  await page.clock.runFor(60_000);
  assert(!tried && await page.locator('#pause').isHidden());
  await close();
});

test('a browser that remembers nothing pauses too', { timeout }, async () => {
  const { page, context, close } = await visit(browser, 'reader');
  await context.addInitScript(() => {
    Object.defineProperty(window, 'localStorage', { get() { throw new DOMException('denied', 'SecurityError'); } });
  });
  await page.goto(`${services.consultation}/console`);
  await page.getByRole('button', { name: 'Pause' }).click();
  await page.getByRole('button', { name: 'Resume' }).click();
  await page.getByRole('button', { name: 'Pause' }).waitFor();
  await close();
});

test('what a retry did is told until the first refresh', { timeout }, async () => {
  const { page, refreshes, close } = await open('operator', { path: '?retried=2' });
  await page.getByText('Parked payments that are due now: 2').waitFor();
  await refreshes();
  await page.locator('#notice').waitFor({ state: 'detached' });
  await close();
});
