// Chromium for the pages of the console: whatever it complains about fails the test.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { chromium } from 'playwright-core';
import { password } from './service.js';

const args = ['--headless', '--no-sandbox', '--disable-gpu', '--no-first-run', '--disable-background-networking'];
const axe = readFileSync(new URL('../../node_modules/axe-core/axe.min.js', import.meta.url), 'utf8');

export const launch = () => chromium.launch({ executablePath: '/usr/bin/chromium', args });

/** A page for a user, whose browser must not complain. `status` are those of responses that are meant to fail. */
export async function visit(browser, username, { status = [], ...options } = {}) {
  const complaints = [];
  const context = await browser.newContext({ httpCredentials: { username, password }, viewport: { width: 1280, height: 900 }, ...options });
  context.setDefaultTimeout(15_000);
  if (options.javaScriptEnabled !== false) {
    await context.exposeFunction('complain', (text) => complaints.push(text));
    await context.addInitScript(() => {
      document.addEventListener('securitypolicyviolation', ({ violatedDirective, blockedURI }) => {
        window.complain(`policy violation: ${violatedDirective} ${blockedURI}`);
      });
    });
  }
  const page = await context.newPage();
  const isMeant = (text) => status.some((code) => text.includes(`status of ${code}`));
  page.on('console', (entry) => entry.type() === 'error' && !isMeant(entry.text()) && complaints.push(entry.text()));
  page.on('pageerror', (error) => complaints.push(`uncaught: ${error.message}`));
  page.on('dialog', (dialog) => complaints.push(`a foreign script runs: ${dialog.message()}`));
  const close = async () => {
    await context.close();
    assert.deepEqual(complaints, [], 'the browser complains');
  };
  return { page, context, close };
}

/** Audits the page as it is now. It needs no script of the page, and evades its policy by the debugger. */
export async function audit(page) {
  await page.evaluate(axe);
  const { violations } = await page.evaluate(() => window.axe.run(document, { resultTypes: ['violations'] }));
  const found = violations.map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html).join(' ')}`);
  assert.deepEqual(found, [], `axe-core at ${page.url()}`);
}

/** Whether nothing is wider than the window. */
export const fits = (page) => page.evaluate(() => document.documentElement.scrollWidth <= document.documentElement.clientWidth);
