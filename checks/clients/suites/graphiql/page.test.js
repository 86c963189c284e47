// Drives the GraphiQL page of the consultation service in a real browser, as a person would. SCREENSHOTS=DIRECTORY
// keeps two pictures.
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import test from 'node:test';
import { chromium } from 'playwright-core';
import { consultation as base, finish, username, password } from '../../services.js';

const screenshots = process.env.SCREENSHOTS;

// Without the browser's own traffic, so that all traffic is the page's.
const quiet = ['--disable-background-networking', '--disable-component-update', '--disable-sync', '--disable-quic'];
const args = ['--headless', '--no-sandbox', '--disable-gpu', '--no-first-run', ...quiet];

const complaints = [];
const complain = (text) => complaints.push(text);
let requests = 0;

test('a person works with GraphiQL', { timeout: 60_000 }, async (t) => {
  const browser = await chromium.launch({ executablePath: '/usr/bin/chromium', args }); // with a new, temporary profile
  t.after(() => browser.close());
  t.after(() => complaints.forEach((text) => t.diagnostic(text)));
  const page = await open(browser);
  const id = await start(page);
  await follow(page, id);
  await list(page, id);
  await findDocumentation(page);
  await picture(page, 'Light');
  await picture(page, 'Dark');
  await completeField(page);
  await page.waitForLoadState('networkidle');
  assert.deepEqual(complaints, [], 'the browser complains');
  t.diagnostic(`${requests} requests, all to the service; no console error, no policy violation`);
});

async function open(browser) {
  const context = await browser.newContext({ colorScheme: 'light', httpCredentials: { username, password } });
  context.setDefaultTimeout(15_000);
  await context.exposeFunction('complain', complain);
  await context.addInitScript(() => {
    document.addEventListener('securitypolicyviolation', ({ violatedDirective, blockedURI }) => {
      window.complain(`policy violation: ${violatedDirective} ${blockedURI}`);
    });
  });
  const page = await context.newPage();
  page.on('console', (entry) => entry.type() === 'error' && complain(`console: ${entry.text()}`));
  page.on('pageerror', (error) => complain(`uncaught: ${error.message}`));
  page.on('request', (request) => {
    const { protocol, origin } = new URL(request.url());
    if (protocol === 'data:') return; // inside the page
    requests += 1;
    if (origin !== new URL(base).origin) complain(`foreign request: ${request.url()}`);
  });
  const answer = await page.goto(new URL('/graphiql', base).href);
  assert(answer.ok(), `the page answers ${answer.status()}`);
  return page;
}

async function type(page, editor, text) {
  await page.locator(`${editor} .CodeMirror-scroll`).click();
  await page.keyboard.press('ControlOrMeta+A');
  await page.keyboard.insertText(text);
}

const variables = '.graphiql-editor-tool .graphiql-editor:not(.hidden)';

/** Opens one of the initial tabs, and fills in its variables. */
async function fill(page, tab, values) {
  await page.getByRole('tab', { name: tab }).click();
  await page.getByRole('button', { name: 'Variables' }).click();
  const text = JSON.stringify(values);
  await type(page, variables, text);
  // GraphiQL reads the editor a moment after the last key, and then stores the tab.
  await page.waitForFunction((value) => localStorage.getItem('graphiql:tabState')?.includes(JSON.stringify(value).slice(1, -1)), text);
}

/** Executes the editor's operation. Returns the shown result once it contains `text`. */
async function execute(page, text) {
  await page.getByRole('button', { name: 'Execute query' }).click();
  return shown(page, text);
}

async function shown(page, text) {
  const response = page.locator('.result-window');
  await response.getByText(text).first().waitFor();
  return response.innerText();
}

async function start(page) {
  await page.getByRole('button', { name: 'Headers' }).click();
  await type(page, variables, '{"x-secret": "not-to-be-stored"}');
  await fill(page, 'Start', { input: { physicianId: randomUUID(), patientId: randomUUID() } });
  const response = await execute(page, /"(data|errors)"/);
  assert(/"startConsultation"[^]*"IN_PROGRESS"/.test(response), `the response is ${response}`);
  const stored = await page.evaluate(() => JSON.stringify(localStorage));
  assert(!stored.includes('not-to-be-stored'), 'the Headers tab is stored, with any credentials in it');
  return /"id": "([^"]+)"/.exec(response)[1];
}

async function follow(page, id) {
  await fill(page, 'Follow', { id });
  await execute(page, '"IN_PROGRESS"');
  await finish(id); // as from another window
  const response = await shown(page, '"FINISHED"');
  assert(/"price": "200.00"/.test(response), `the response is ${response}`);
  if (screenshots) await page.screenshot({ path: join(screenshots, 'graphiql-subscription.png') });
  await page.getByRole('button', { name: 'Stop query' }).click();
}

async function list(page, id) {
  await fill(page, 'List', { first: 3 });
  assert((await execute(page, '"totalCount"')).includes(id));
}

async function findDocumentation(page) {
  await page.getByRole('button', { name: 'Show Documentation Explorer' }).click();
  await page.locator('.graphiql-doc-explorer').getByText('Mutation', { exact: true }).waitFor();
}

async function completeField(page) {
  await type(page, '.graphiql-query-editor', '{ ');
  await page.keyboard.press('Control+Space');
  await page.locator('.CodeMirror-hint').filter({ hasText: 'consultation' }).first().waitFor();
}

async function picture(page, theme) {
  await page.getByRole('button', { name: 'Open settings dialog' }).click();
  await page.getByRole('button', { name: theme, exact: true }).click();
  await page.locator(`body.graphiql-${theme.toLowerCase()}`).waitFor();
  await page.keyboard.press('Escape');
  await page.getByRole('dialog').waitFor({ state: 'hidden' });
  if (screenshots) await page.screenshot({ path: join(screenshots, `graphiql-${theme.toLowerCase()}.png`) });
}
