// Names that attack the page are text in it.
import assert from 'node:assert/strict';
import { called, card, open, story } from './open.mjs';

await story(async () => {
  const page = await open({ width: 360 });
  assert.match(await page.title(), /^plan · <\/style><img src=x/);
  assert.equal(await page.locator('img,script:not(body > script:last-child),[onerror],[onfocus],[style]:not(.stage)').count(), 0);
  const ids = await page.locator('.card').evaluateAll(all => all.map(one => one.id));
  assert.equal(ids.length, 12);
  for (const id of ids) {
    const dressed = id.startsWith('icon') ? await card(page, id) : called(page, id);
    const box = await dressed.boundingBox();
    assert.ok(box.x >= 0 && box.x + box.width <= 360, id);
  }
  assert.equal(await page.evaluate(() => document.documentElement.scrollWidth), 360);
  assert.match(await page.locator('main').textContent(), /\\u\{202e\}gnp\.esrever \\u\{2066\}\\u\{1b\}\[31mred/);

  // Each is reached by its own link, with any name.
  for (const id of ids) {
    await called(page, id).locator('h3 a').click();
    assert.equal(await page.evaluate(() => document.activeElement.id), id);
  }
  const typed = await open({ hash: '#icon/😀 with space %23?%2541&amp;' });
  assert.equal(await typed.evaluate(() => document.activeElement.id), 'icon/%F0%9F%98%80%20with%20space%20%23?%2541&amp;');
});
