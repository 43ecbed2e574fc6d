// A portal of 2,200 icons and 300 logos: every entry is there, counted and found.
import assert from 'node:assert/strict';
import { open, story } from './open.mjs';

await story(async () => {
  const page = await open();
  assert.deepEqual(await page.locator('h2').allTextContents(), ['In the timeline', '2200 custom icons', '300 custom logos']);
  assert.equal(await page.locator('.holding').count(), 2500);
  assert.match(await page.locator('[id="icon/acme-2199"]').textContent(), /its image is not drawn: there are too many entries/);
  assert.equal(await page.locator('[id="logo/acme-0299"] .p').count(), 1);
  assert.match(await page.locator('[id="logo/acme-0299"]').textContent(), /24×24 px instead of 60×60/);
  await page.locator('#search').fill('acme-2150');
  assert.equal(await page.locator('#shown').textContent(), '1 of 2500 shown');
  assert.deepEqual(await page.locator('h2:visible').allTextContents(), ['2200 custom icons'], 'no heading over nothing');
  await page.locator('#search').fill('logo');
  assert.deepEqual(await page.locator('h2:visible').allTextContents(), ['300 custom logos']);
});
