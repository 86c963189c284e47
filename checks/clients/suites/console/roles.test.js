// The console for users with one role each.
import assert from 'node:assert/strict';
import test, { after, before } from 'node:test';
import { audit, launch, visit } from './browser.js';
import { roles, shows, start } from './service.js';

const timeout = 60_000;
let services, browser, refused;

before(async () => {
  [services, browser] = await Promise.all([start(), launch()]);
  refused = await services.refuse();
  await shows(services.consultation, refused);
});
after(async () => {
  await browser?.close();
  await services?.stop();
});

for (const role of roles) {
  const [sees, retries] = [['reader', 'finance', 'operator'].includes(role), role === 'operator'];
  test(`a ${role} ${sees ? 'sees' : 'does not see'} the console, and ${retries ? 'retries' : 'does not retry'}`, { timeout }, async () => {
    const { page, close } = await visit(browser, role, { status: [403] });
    const open = async (path, status) => {
      const answer = await page.goto(`${services.consultation}/console${path}`);
      assert.equal(answer.status(), status, path);
      await audit(page);
    };
    for (const path of ['', `/payments/${refused}`]) {
      await open(path, sees ? 200 : 403);
      assert.equal(await page.getByRole('button', { name: 'Retry now' }).count(), retries ? 1 : 0, path);
    }
    await open('/parked/retry', retries ? 200 : 403);
    if (!retries) await page.getByText(`retryPendingPayment needs the role operator; ${role} has ${role}`).waitFor();
    await close();
  });
}
