// A first plan, as the program wrote it: every entry of the example is created.
import assert from 'node:assert/strict';
import { card, open, story } from './open.mjs';

await story(async () => {
  const page = await open();
  assert.equal(await page.locator('.outcome').innerText(), '12 changes planned');
  assert.equal(await page.locator('.card.create').count(), 12);
  const call = await card(page, 'icon/acme-call');
  assert.equal(await call.locator('.after .p').evaluate(node => node.offsetWidth), 192);
  assert.equal(await call.locator('.over').count(), 0, 'there is nothing to compare with');
  assert.equal(await page.locator('.timeline .log .now:visible').count(), 6);
});
