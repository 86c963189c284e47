// The refresh of the console: it can be paused, moves neither focus nor scroll, and says what is new.
import assert from 'node:assert/strict';
import test, { after, before } from 'node:test';
import { launch, visit } from './browser.js';
import { shows, start } from './service.js';

const timeout = 90_000;
const isRefresh = (request) => request.resourceType() === 'fetch';
let services, browser;

before(async () => {
  [services, browser] = await Promise.all([start(), launch()]);
  await shows(services.consultation, 'All payments are delivered');
});
after(async () => {
  await browser?.close();
  await services?.stop();
});

test('news come by themselves, and focus and scroll stay', { timeout }, async () => {
  const refused = await services.refuse();
  await shows(services.consultation, 'decision: 1');
  const { page, close } = await visit(browser, 'operator', { viewport: { width: 1280, height: 500 } });
  await page.goto(`${services.consultation}/console`);
  const link = page.locator(`#parked-${refused}`);
  await link.focus();
  await page.evaluate(() => scrollTo(0, 300));
  await services.refuse();
  await page.locator('#news').getByText('decision: 2').waitFor();
  assert.equal(await page.evaluate(() => document.activeElement.id), `parked-${refused}`);
  assert.equal(await page.evaluate(() => scrollY), 300);
  await page.locator('tr').nth(2).waitFor();
  await close();
});

test('a pause is remembered, and lasts until it is ended', { timeout }, async () => {
  const { page, close } = await visit(browser, 'reader');
  await page.clock.install();
  await page.goto(`${services.consultation}/console`);
  let refreshed = 0;
  page.on('request', (request) => { if (isRefresh(request)) refreshed += 1; });
  const refreshes = () => Promise.all([page.waitForRequest(isRefresh), page.clock.runFor(5_000)]);
  const isStill = async () => {
    const before = refreshed;
    await page.clock.runFor(60_000);
    return refreshed === before;
  };
  await refreshes();
  await page.getByRole('button', { name: 'Pause' }).click();
  await page.waitForLoadState('networkidle');
  assert(await isStill(), 'nothing is fetched in a minute');
  await page.reload();
  assert(await isStill(), 'nor after a reload');
  await page.getByRole('button', { name: 'Resume' }).click();
  await page.getByRole('button', { name: 'Pause' }).waitFor();
  await page.waitForLoadState('networkidle');
  await refreshes();
  await page.evaluate(() => {
    Object.defineProperty(document, 'hidden', { configurable: true, get: () => true });
    document.dispatchEvent(new Event('visibilitychange'));
  });
  await page.waitForLoadState('networkidle');
  assert(await isStill(), 'nothing is fetched while the tab is hidden');
  await close();
});

test('a console that has gone says so', { timeout }, async () => {
  const { page, context, close } = await visit(browser, 'reader', { status: [502] });
  await page.goto(`${services.consultation}/console`);
  await context.route('**/console', (route) => route.fulfill({ status: 502, body: 'a gateway' }));
  await page.locator('#news').getByText('The console does not answer; what is shown is old').waitFor();
  await context.unroute('**/console');
  await page.locator('#news', { hasNotText: 'does not answer' }).waitFor({ state: 'attached' });
  await close();
});
