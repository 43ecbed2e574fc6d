// What became of an apply is at the top and at each card.
import assert from 'node:assert/strict';
import { open, story } from './open.mjs';

await story(async () => {
  const page = await open();
  assert.equal(await page.locator('.outcome').innerText(), 'Not everything was applied: 7 of 9');
  assert.equal(await page.locator('.card .fate.recovered').textContent(), 'recovered: the portal refused the new image; the old one is back');
  assert.equal(await page.locator('[id="logo/acme-courier"] .fate').textContent(), 'unknown: the portal gave no answer that two readings agree on');
  const failed = page.locator('.panel .recovered a');
  assert.ok(await failed.isVisible(), 'steps that did not end as planned need no click to be seen');
  await failed.click();
  assert.equal(await page.evaluate(() => document.activeElement.id), 'icon/acme-chat');
});
