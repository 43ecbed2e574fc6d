// The sandbox's page: its entries in the timeline, found by search, their codes copied by mouse and keyboard.
import assert from 'node:assert/strict';
import { open, story } from './open.mjs';

await story(async () => {
  const page = await open({ permissions: ['clipboard-read', 'clipboard-write'] });
  assert.equal(await page.locator('.outcome').textContent(), '12 custom, 90 system');
  assert.equal(await page.locator('.timeline .log .p:visible').count(), 6);
  assert.equal(await page.locator('.timeline .activity .logotile .p:visible').count(), 6);
  const holding = page.locator('[id="icon/acme-call"]');
  assert.match(await holding.locator('time').textContent(), /^20\d\d-\d\d-\d\d \d\d:\d\d:\d\dZ$/);
  assert.equal(await holding.locator('.p').evaluate(node => node.offsetWidth), 24);

  // The mouse.
  const copied = () => page.evaluate(() => navigator.clipboard.readText());
  await holding.getByRole('button').click();
  assert.equal(await copied(), 'acme-call');
  assert.equal(await page.locator('#said').textContent(), 'Copied acme-call');

  // The keyboard: search, the first that is left, copy.
  await page.locator('main').focus();
  await page.keyboard.press('/');
  await page.keyboard.type('ACME warr');
  assert.equal(await page.locator('#shown').textContent(), '1 of 102 shown');
  assert.deepEqual(await page.locator('.holding:visible code').allTextContents(), ['acme-warranty']);
  assert.ok(await page.locator('.holding:visible').evaluate(node => node.getBoundingClientRect().bottom < innerHeight), 'seen at once');
  await page.keyboard.press('Tab');
  await page.keyboard.press('j');
  await page.keyboard.press('c');
  await page.waitForFunction(() => document.getElementById('said').textContent === 'Copied acme-warranty');
  assert.equal(await copied(), 'acme-warranty');
  await page.keyboard.press('/');
  await page.keyboard.press('Escape');
  assert.equal(await page.locator('#shown').textContent(), 'all 102 shown');
  assert.ok(await page.locator('.mock').isVisible());

  // A narrow window has no need to be scrolled sideways.
  const narrow = await open({ width: 360 });
  assert.equal(await narrow.evaluate(() => document.documentElement.scrollWidth), 360);
});
