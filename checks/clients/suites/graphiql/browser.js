// Chromium for the pages of GraphiQL: whatever it complains about fails the test, and so does a request to elsewhere.
import assert from 'node:assert/strict';
import { chromium } from 'playwright-core';
import { username, password } from '../../services.js';

// Without the browser's own traffic, so that all traffic is the page's.
const quiet = ['--disable-background-networking', '--disable-component-update', '--disable-sync', '--disable-quic'];
const args = ['--headless', '--no-sandbox', '--disable-gpu', '--no-first-run', ...quiet];

/** A browser with a new, temporary profile. */
export const launch = () => chromium.launch({ executablePath: '/usr/bin/chromium', args });

/** A context of its own, as of another visitor, with the page at an address. `close` fails if the browser complained. */
export async function visit(browser, address, options = {}) {
  const seen = { complaints: [], requests: 0 };
  const complain = (text) => seen.complaints.push(text);
  const context = await browser.newContext({ colorScheme: 'light', httpCredentials: { username, password }, ...options });
  context.setDefaultTimeout(15_000);
  await context.exposeFunction('complain', complain);
  await context.addInitScript(() => {
    document.addEventListener('securitypolicyviolation', ({ violatedDirective, blockedURI }) => {
      window.complain(`policy violation: ${violatedDirective} ${blockedURI}`);
    });
  });
  context.on('page', (page) => {
    page.on('console', (entry) => entry.type() === 'error' && complain(`console: ${entry.text()}`));
    page.on('pageerror', (error) => complain(`uncaught: ${error.message}`));
    page.on('request', (request) => {
      const { protocol, origin } = new URL(request.url());
      if (protocol === 'data:') return; // inside the page
      seen.requests += 1;
      if (origin !== new URL(address).origin) complain(`foreign request: ${request.url()}`);
    });
  });
  const page = await context.newPage();
  const answer = await page.goto(address);
  assert(answer.ok(), `the page answers ${answer.status()}`);
  const close = async () => {
    await context.close();
    assert.deepEqual(seen.complaints, [], 'the browser complains');
  };
  return { page, context, seen, close };
}

/** Chooses a tab of the editor by a click. GraphiQL reads its operation a moment later; until then it executes the one before. */
export async function choose(page, name) {
  await page.getByRole('tab', { name, exact: true }).click();
  await page.waitForFunction((operation) => {
    const { operationName, documentAST } = document.querySelector('.graphiql-query-editor .CodeMirror').CodeMirror;
    return operationName === operation && documentAST.definitions.some(({ name: of }) => of?.value === operation);
  }, name);
}

/** Executes the operation of the editor by a click. Returns the response once it contains `text`. */
export async function execute(page, text = /"(data|errors)"/) {
  await page.getByRole('button', { name: 'Execute query' }).click();
  return shown(page, text);
}

export async function shown(page, text) {
  const response = page.locator('.result-window');
  await response.getByText(text).first().waitFor();
  return response.innerText();
}

const VARIABLES = '.graphiql-editor-tool .graphiql-editor:not(.hidden) .CodeMirror';

/** The text of the visible editor of variables, once it is there. */
export async function variables(page) {
  await page.locator(VARIABLES).waitFor();
  return page.evaluate((editor) => document.querySelector(editor).CodeMirror.getValue(), VARIABLES);
}

/** Replaces a part of the text of that editor, as a person would. */
export async function edit(page, part, by) {
  const text = (await variables(page)).replace(part, by);
  await page.evaluate(([editor, to]) => document.querySelector(editor).CodeMirror.setValue(to), [VARIABLES, text]);
}

/** Waits until GraphiQL has stored the tabs with this text: another window then opens with them. */
export const stored = (page, text) => page.waitForFunction((part) => localStorage.getItem('graphiql:tabState')?.includes(part), text);
