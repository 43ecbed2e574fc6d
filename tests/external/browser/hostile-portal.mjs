// Codes that attack the page are text in it, and what is copied is the code itself.
import assert from 'node:assert/strict';
import { open, story } from './open.mjs';

await story(async () => {
  const codes = JSON.parse(process.argv[3]);
  const page = await open({ width: 360, permissions: ['clipboard-read', 'clipboard-write'] });
  assert.equal(await page.title(), 'sandbox · What this portal holds · brandctl');
  assert.equal(await page.locator('img,script:not(body > script:last-child),[onerror],[onfocus],[style]').count(), 0);
  assert.equal(await page.evaluate(() => document.documentElement.scrollWidth), 360);
  const buttons = page.locator('.copy');
  assert.equal(await buttons.count(), codes.length);
  for (const [index, code] of codes.entries()) {
    await buttons.nth(index).click();
    assert.equal(await page.evaluate(() => navigator.clipboard.readText()), code);
  }
  assert.equal(await page.title(), 'sandbox · What this portal holds · brandctl');
});
