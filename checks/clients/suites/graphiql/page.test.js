// Drives the GraphiQL page of the consultation service in a real browser, as a person would. SCREENSHOTS=DIRECTORY
// keeps two pictures.
import assert from 'node:assert/strict';
import { join } from 'node:path';
import test from 'node:test';
import { consultation } from '../../services.js';
import { choose, execute, launch, stored, visit } from './browser.js';

const screenshots = process.env.SCREENSHOTS;

test('a person works with GraphiQL', { timeout: 60_000 }, async (t) => {
  const browser = await launch();
  t.after(() => browser.close());
  const { page, seen, close } = await visit(browser, `${consultation}/graphiql`);
  await startWithHeader(page);
  await list(page);
  await findDocumentation(page);
  await picture(page, 'Light');
  await picture(page, 'Dark');
  await completeField(page);
  await page.waitForLoadState('networkidle');
  await close();
  t.diagnostic(`${seen.requests} requests, all to the service; no console error, no policy violation`);
});

async function type(page, editor, text) {
  await page.locator(`${editor} .CodeMirror-scroll`).click();
  await page.keyboard.press('ControlOrMeta+A');
  await page.keyboard.insertText(text);
}

async function startWithHeader(page) {
  await page.getByRole('button', { name: 'Headers' }).click();
  await type(page, '.graphiql-editor-tool .graphiql-editor:not(.hidden)', '{"x-secret": "not-to-be-stored"}');
  const [, id] = /"id": "([^"]+)"/.exec(await execute(page, '"startDate"'));
  await stored(page, id);
  const storage = await page.evaluate(() => JSON.stringify(localStorage));
  assert(!storage.includes('not-to-be-stored'), 'the Headers tab is stored, with any credentials in it');
}

async function list(page) {
  await choose(page, 'List');
  await execute(page, '"totalCount"');
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
