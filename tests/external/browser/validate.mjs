// A manifest's art, with its findings, and no word of before and after.
import assert from 'node:assert/strict';
import { card, open, story } from './open.mjs';

await story(async () => {
  const page = await open();
  assert.equal(await page.locator('.outcome').innerText(), 'Not valid: 13 images, 1 error, 1 warning');
  assert.match(await page.locator('[id="icon/acme-broken"]').textContent(), /not a sound PNG[^]*png-format the file breaks off/);
  assert.match(await (await card(page, 'icon/acme-sign')).innerText(), /white-on-white/);
  assert.equal(await page.locator('#was').count(), 0);
  assert.deepEqual(await page.locator('.chips li').allTextContents(), ['9 icons', '4 logos', '2 with findings']);
  assert.equal(await page.locator('.timeline .log').count(), 6);
  assert.equal(await page.locator('.timeline .logotile .p:visible').count(), 6);
  assert.equal(await page.locator('.grid > .card').count(), 13);
  assert.match(await page.locator('[id="icon/acme-broken"] .findings').innerText(), / in icons\/acme-broken\.png/);
});
