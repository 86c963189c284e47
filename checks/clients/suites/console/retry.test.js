// Retries from the console: with a mouse and without script, and with the keyboard alone.
import assert from 'node:assert/strict';
import test, { after, before } from 'node:test';
import { audit, launch, visit } from './browser.js';
import { shows, start } from './service.js';

const timeout = 60_000;
let services, browser, refused;

before(async () => {
  [services, browser] = await Promise.all([start(), launch()]);
  refused = await services.refuse();
  await services.refuse();
  await shows(services.consultation, 'decision: 2');
});
after(async () => {
  await browser?.close();
  await services?.stop();
});

test('one payment and all parked ones are retried without script', { timeout }, async () => {
  const { page, close } = await visit(browser, 'operator', { javaScriptEnabled: false });
  await page.goto(`${services.consultation}/console`);
  assert(await page.getByRole('button', { name: 'Pause' }).isHidden(), 'nothing is refreshed');
  await page.locator(`#retry-${refused}`).click();
  await page.waitForURL(`**/console/payments/${refused}?retried=1`);
  await page.getByText('The payment is due now').waitFor();
  await page.getByText('Last retried by operator').waitFor();
  await shows(services.consultation, 'decision: 2'); // refused once more
  await page.getByRole('link', { name: 'Back to the console' }).click();
  await page.getByRole('link', { name: 'Retry parked payments' }).click();
  await page.getByRole('button', { name: 'Retry now: 2' }).click();
  await page.waitForURL('**/console?retried=2');
  await page.getByText('Parked payments that are due now: 2').waitFor();
  await page.getByRole('link', { name: 'Reload' }).click();
  await close();
});

test('the keyboard is enough', { timeout }, async () => {
  await shows(services.consultation, 'decision: 2');
  const { page, close } = await visit(browser, 'operator');
  await page.goto(`${services.consultation}/console`);
  await page.keyboard.press('Tab');
  assert.equal(await focused(page), 'Skip to the content');
  await page.keyboard.press('Enter');
  assert.equal(await page.evaluate(() => document.activeElement.id), 'content');
  await tabTo(page, 'retry-parked');
  const outline = await page.evaluate(() => getComputedStyle(document.activeElement).outlineStyle);
  assert.equal(outline, 'solid', 'the focus shows');
  await page.keyboard.press('Enter');
  await page.getByRole('heading', { name: 'Retry parked payments' }).waitFor();
  await tabTo(page, 'confirm');
  await page.keyboard.press('Enter');
  await page.getByText('Parked payments that are due now: 2').waitFor();
  await audit(page);
  await close();
});

const focused = (page) => page.evaluate(() => document.activeElement.textContent);

async function tabTo(page, id) {
  for (let pressed = 0; pressed < 40; pressed += 1) {
    await page.keyboard.press('Tab');
    if (await page.evaluate(() => document.activeElement.id) === id) return;
  }
  assert.fail(`the keyboard does not reach ${id}`);
}
