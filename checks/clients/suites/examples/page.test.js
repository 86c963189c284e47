// The example for a page of another origin, in a browser: the page may call once its origin is set, and only then.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:http';
import test, { after, before } from 'node:test';
import { chromium } from 'playwright-core';
import { startServices } from '../../processes.js';
import { example } from './document.js';

let browser, pages, origin;

before(async () => {
  pages = createServer((_, response) => response.setHeader('content-type', 'text/html').end('<title>App</title>'));
  await once(pages.listen(0, '127.0.0.1'), 'listening');
  origin = `http://127.0.0.1:${pages.address().port}`;
  browser = await chromium.launch({ executablePath: '/usr/bin/chromium', args: ['--headless', '--no-sandbox', '--disable-gpu'] });
});
after(async () => {
  await browser?.close();
  pages?.close();
});

/** What the example prints in a page, with these settings of the services. */
async function printed(t, settings) {
  const services = await startServices(process.env.PROGRAM, settings);
  t.after(() => services.stop());
  const page = await browser.newPage();
  await page.goto(origin);
  const said = page.waitForEvent('console', (entry) => entry.type() === 'log').then((entry) => entry.text());
  await page.addScriptTag({ content: `(async () => { ${example('page', services)} })().catch(({ message }) => console.log(message));` });
  return said;
}

test('a page of another origin that is set lists consultations', { timeout: 60_000 }, async (t) => {
  assert.match(await printed(t, { CONSULTATION_CORS_ORIGINS: origin }), /totalCount: 0/);
});

test('a page of another origin that is not set is stopped by the browser', { timeout: 60_000 }, async (t) => {
  assert.match(await printed(t, {}), /Failed to fetch/);
});
