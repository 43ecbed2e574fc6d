// After an apply that failed, the page shows what is on the portal, and does not take the plan for it.
import assert from 'node:assert/strict';
import { card, open, story } from './open.mjs';

await story(async () => {
  const page = await open();
  const within = (id, selector) => page.locator(`[id="${id}"] ${selector}`);
  assert.match(await within('icon/acme-fallen', '.fate').textContent(), /^skipped: /);
  assert.match(await within('icon/acme-warranty', '.after figcaption').textContent(), /^planned \d+ B$/);
  assert.match(await within('icon/acme-call', '.after figcaption').textContent(), /^after \d+ B$/, 'it was applied');
  // Which half of a rename came how far.
  assert.deepEqual(await within('icon/acme-fax', '.fate').allTextContents(), ['applied icon/acme-fax', 'failed icon/acme-telex: the portal refused it']);
  const rows = (await card(page, 'icon/acme-chat')).locator('.grounds tbody th');
  assert.deepEqual(await rows.allTextContents(), ['before', 'planned']);

  // Failed and skipped have signs of their own, in the panel and on the cards.
  const sign = selector => page.locator(selector).first().evaluate(node => getComputedStyle(node, '::before').content);
  for (const place of ['.guards .failed b', '.fate.failed b']) assert.match(await sign(place), /✕/);
  for (const place of ['.guards .skipped b', '.fate.skipped b']) assert.match(await sign(place), /–/);
  assert.deepEqual(await page.locator('.panel code', { hasText: 'restore' }).allTextContents(),
    ['icon/acme-chat', 'logo/acme-courier'].map(code => `brandctl restore 20261122T101500Z-1 ${code}`), 'what may be gone, and the way back');

  // The timeline: what failed has no image that anybody vouches for, what was skipped is as before.
  const log = async code => {
    const entry = page.locator('.timeline .log', { hasText: `icon/acme-${code}` });
    return [await entry.locator('.paper').innerText(), await entry.locator('.p:visible').evaluate(node => !node.matches('.none'))];
  };
  assert.deepEqual((await log('chat')), [(await log('chat'))[0], false]);
  assert.match((await log('chat'))[0], /, whose step did not end as planned$/);
  const [fallen, drawn] = await log('fallen');
  assert.ok(drawn && fallen.endsWith('icon/acme-fallen, which is as before'), fallen);
});
