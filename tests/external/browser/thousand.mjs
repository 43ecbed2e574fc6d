// A thousand changes: the page opens, filters and follows a link. Times are printed; how fast a machine is proves nothing.
import assert from 'node:assert/strict';
import { open, story } from './open.mjs';

await story(async () => {
  const began = performance.now();
  const page = await open({ hash: '#icon/acme-0500' });
  console.log(`opened, with a link to the middle: ${Math.round(performance.now() - began)} ms`);
  assert.equal(await page.locator('.card').count(), 1000);
  await page.waitForFunction(() => { const box = document.activeElement.getBoundingClientRect(); return document.activeElement.id === 'icon/acme-0500' && box.top >= 0 && box.top < innerHeight; });
  const dressed = await page.locator('.grounds').count();
  assert.ok(dressed < 300, `${dressed} cards are dressed, though only a few are near`);

  const time = steps => page.evaluate(steps => new Promise(done => {
    const began = performance.now();
    for (const [selector, value] of steps) {
      const element = document.querySelector(selector);
      if (value === undefined) element.click();
      else { element.value = value; element.dispatchEvent(new Event('input')); }
    }
    // Drawn, and time for the next.
    const until = () => requestAnimationFrame(() => setTimeout(() => done(performance.now() - began)));
    setTimeout(until, steps.some(([, value]) => value !== undefined) ? 80 : 0);
  }), steps);
  const press = await time([['[data-action=create] button']]);
  assert.equal(await page.getByRole('status').innerText(), '100 of 1000 shown');
  const release = await time([['[data-action=create] button']]);
  assert.equal(await page.getByRole('status').innerText(), 'all 1000 shown');
  const search = await time([['#search', 'acme-07']]);
  assert.equal(await page.getByRole('status').innerText(), '100 of 1000 shown');
  console.log(`filtered by action: ${Math.round(press)} ms, all back: ${Math.round(release)} ms, by text, 80 ms of waiting for more keys included: ${Math.round(search)} ms`);
});
