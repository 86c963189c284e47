// GraphiQL in a window as narrow as a phone's.
import assert from 'node:assert/strict';
import test, { after, before } from 'node:test';
import { consultation } from '../../services.js';
import { execute, launch, visit } from './browser.js';

const [WIDTH, HEIGHT] = [390, 844];
// Of the window's width: the rest is the margin.
const LEAST = WIDTH * 0.9;

let browser;
before(async () => { browser = await launch(); });
after(() => browser?.close());

test('editor and response stand one below the other, as wide as the window', { timeout: 60_000 }, async () => {
  const { page, close } = await visit(browser, `${consultation}/graphiql`, { viewport: { width: WIDTH, height: HEIGHT }, hasTouch: true });
  await execute(page, '"startDate"');
  const [editors, response, link] = await Promise.all(
    ['.graphiql-editors', '.graphiql-response', '.graphiql-other'].map((part) => page.locator(part).boundingBox()),
  );
  assert(editors.width >= LEAST && response.width >= LEAST, `${editors.width} and ${response.width} of ${WIDTH}`);
  assert(response.y >= editors.y + editors.height, 'the response is below the editors');
  assert(response.height >= HEIGHT / 4, `the response is ${response.height} high`);
  assert(link.x >= 0 && link.x + link.width <= WIDTH, 'the link to the other service is in the window');
  assert.equal(await page.evaluate(() => document.documentElement.scrollWidth), WIDTH, 'nothing is wider than the window');
  await close();
});
