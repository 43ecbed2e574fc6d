// A first plan, as the program wrote it: every entry of the example is created.
import assert from 'node:assert/strict';
import { card, open, story } from './open.mjs';

await story(async () => {
  const page = await open();
  assert.equal(await page.locator('.outcome').innerText(), 'Plan: 12 to create');
  assert.equal(await page.locator('.card.create').count(), 12);
  const call = await card(page, 'icon/acme-call');
  assert.equal(await call.locator('.after .p').evaluate(node => node.offsetWidth), 96);
  assert.equal(await call.locator('.over').count(), 0, 'there is nothing to compare with');
  assert.equal(await page.locator('.timeline .log .now:visible').count(), 6);
  assert.equal(await page.locator('.which').innerText(), '6 of 8 icons: the changed ones first');
  // When it was made, of which commit, and by what.
  assert.match(await page.locator('.ran').innerText(), /^brandctl plan \S*brand\.yaml (commit [0-9a-f]{10}\+? )?\d+ \w+ 20\d\d, \d\d:\d\d UTC brandctl \d+\.\d+\.\d+$/);
  assert.equal(await page.locator('.top code:visible', { hasText: /[0-9a-f]{64}/ }).count(), 0, 'the digest is folded away');
});
