// Every page of the console, in each of its states, as people see it: axe-core, narrow and wide, light and dark, both
// languages. SCREENSHOTS=DIRECTORY keeps pictures.
import assert from 'node:assert/strict';
import { join } from 'node:path';
import test, { after, before } from 'node:test';
import { audit, fits, launch, visit } from './browser.js';
import { HOSTILE, shows, start } from './service.js';

const timeout = 90_000;
const screenshots = process.env.SCREENSHOTS;
const unknown = 'ea959b03-5577-45c9-b9f7-a45d3e77ce82';
const looks = [['light', 'en-US'], ['dark', 'pt-BR']].flatMap((look) => [320, 768, 1280].map((width) => [...look, width]));

let browser;
before(async () => { browser = await launch(); });
after(() => browser?.close());

/** Visits the pages in each look, and audits them. */
async function visitAll(services, state, paths, status) {
  for (const [colorScheme, locale, width] of looks) {
    const { page, close } = await visit(browser, 'operator', { colorScheme, locale, viewport: { width, height: 900 }, status });
    for (const path of paths) {
      await page.goto(`${services.consultation}/console${path}`);
      assert(await fits(page), `${path} is wider than ${width}`);
      assert.equal(await page.locator('html').getAttribute('lang'), locale === 'pt-BR' ? 'pt-BR' : 'en');
      await audit(page);
      if (screenshots) await page.screenshot({ path: join(screenshots, `${state}-${colorScheme}-${width}${path.replaceAll('/', '-')}.png`), fullPage: true });
    }
    await close();
  }
}

test('pages with delivered and parked payments, and those that are not there', { timeout }, async (t) => {
  const services = await start();
  t.after(services.stop);
  await visitAll(services, 'new', [''], []);
  const delivered = await services.finish();
  const refused = await services.refuse();
  await services.refuse();
  await shows(services.consultation, 'Parked payments need a decision: 2');
  services.sql(`UPDATE pending_payment SET last_error = '${HOSTILE.replaceAll("'", "''")}' WHERE parked_at IS NOT NULL`);
  const paths = ['', '/parked/retry', `/payments/${delivered}`, `/payments/${refused}`, `/payments/${unknown}`, '/payments/1', '/nothing'];
  await visitAll(services, 'parked', paths, [404]);
});

test('pages while finance cannot be reached, and while the database fails', { timeout }, async (t) => {
  const services = await start({ CONSULTATION_FINANCE_PASSWORD: 'wrong' });
  t.after(services.stop);
  const waiting = await services.finish();
  await services.finish();
  await shows(services.consultation, 'Finance is failing');
  await visitAll(services, 'outage', ['', `/payments/${waiting}`], []);

  services.sql('ALTER TABLE pending_payment RENAME TO elsewhere');
  await visitAll(services, 'database', ['', `/payments/${waiting}`, '/parked/retry'], [503]);
  const { page, close } = await visit(browser, 'reader', { status: [503] });
  const answer = await page.goto(`${services.consultation}/console`);
  assert.equal(answer.status(), 503);
  await page.getByRole('heading', { name: 'The database has failed' }).waitFor();
  await page.getByText('only probes are sent until one succeeds, since').waitFor(); // from memory
  await close();
});
