// GraphiQL of the consultation service in a real browser, for users with one role each.
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test, { after, before } from 'node:test';
import { chromium } from 'playwright-core';
import { startServices } from '../../processes.js';

const timeout = 60_000;
const program = process.env.PROGRAM ?? '../../target/debug/all-in-one';
const roles = ['reader', 'clinician', 'finance', 'operator', 'service'];
const password = 'roles-test';
const hash = '$2b$04$abcdefghijklmnopqrstuu.MicuvJ1bjbWMyBZzEbg21L5q/1SrSK';

let directory, services, browser;

before(async () => {
  directory = await mkdtemp(join(tmpdir(), 'roles-'));
  const [users, groups] = [join(directory, 'users'), join(directory, 'groups')];
  await writeFile(users, roles.map((role) => `${role}:${hash}\n`).join(''));
  await writeFile(groups, roles.map((role) => `${role}: ${role}\n`).join(''));
  services = await startServices(program, {
    CONSULTATION_HTPASSWD_FILE: users, CONSULTATION_GROUPS_FILE: groups,
    FINANCE_HTPASSWD_FILE: users, FINANCE_GROUPS_FILE: groups,
    CONSULTATION_FINANCE_USERNAME: 'service', CONSULTATION_FINANCE_PASSWORD: password,
  });
  browser = await chromium.launch({ executablePath: '/usr/bin/chromium', args: ['--headless', '--no-sandbox', '--disable-gpu'] });
});
after(async () => {
  await browser?.close();
  await services?.stop();
  await rm(directory, { recursive: true });
});

for (const role of roles) {
  test(`a ${role} sees the schema, and what the role permits`, { timeout }, async () => {
    const context = await browser.newContext({ httpCredentials: { username: role, password } });
    context.setDefaultTimeout(15_000);
    const page = await context.newPage();
    await page.goto(`${services.consultation}/graphiql`);
    await page.getByRole('button', { name: 'Show Documentation Explorer' }).click();
    await page.locator('.graphiql-doc-explorer').getByText('Mutation', { exact: true }).waitFor();

    await execute(page, 'query Count { consultations { totalCount } }', role === 'service' ? '"FORBIDDEN"' : '"totalCount": 0');
    const refusal = `needs the role operator; the user \\"${role}\\" has ${role}`;
    const retry = 'mutation Retry { retryPendingPayment(input: { consultationId: "1" }) { userErrors { __typename } } }';
    await execute(page, retry, role === 'operator' ? '"userErrors"' : refusal);
    await context.close();
  });
}

/** Executes an operation in a tab of its own. Its response is as expected once that text is shown. */
async function execute(page, operation, expected) {
  await page.getByRole('button', { name: 'New tab' }).click();
  await page.locator('.graphiql-query-editor .CodeMirror-scroll').click();
  await page.keyboard.press('ControlOrMeta+A');
  await page.keyboard.insertText(operation);
  // GraphiQL reads the editor a moment after the last key, and then names the tab.
  await page.getByRole('tab', { name: operation.split(' ')[1] }).waitFor();
  await page.getByRole('button', { name: 'Execute query' }).click();
  await page.locator('.result-window').getByText(expected).first().waitFor();
}
