// An entry is found by filters, by keys alone and by its address.
import assert from 'node:assert/strict';
import { open, story } from './open.mjs';

const visible = page => page.locator('.card:visible,.tile:visible').evaluateAll(all => all.map(one => one.id));
const focused = page => page.evaluate(() => document.activeElement.id);

await story(async () => {
  const page = await open();
  const shown = page.getByRole('status');
  assert.equal(await shown.innerText(), 'all 12 shown');

  const chip = name => page.locator('.chips').getByRole('button', { name });
  await chip('create').click();
  assert.deepEqual(await visible(page), ['icon/acme-warranty', 'logo/acme-invoice']);
  assert.equal(await shown.innerText(), '2 of 12 shown');
  assert.equal(await chip('create').getAttribute('aria-pressed'), 'true');
  await chip('logos').click();
  assert.deepEqual(await visible(page), ['logo/acme-invoice']);
  await chip('delete').click();
  assert.deepEqual(await visible(page), ['logo/acme-invoice'], 'a second action widens, the kind still narrows');
  await chip('logos').click();
  assert.deepEqual(await visible(page), ['icon/acme-fallen', 'icon/acme-warranty', 'logo/acme-invoice']);
  await chip('create').click();
  await chip('delete').click();
  await chip('with findings').click();
  assert.deepEqual(await visible(page), ['icon/acme-call']);
  await chip('with findings').click();

  // At a glance: every entry is a link to its card, narrowed with the rest.
  const thumbs = page.locator('.glance a:visible');
  assert.equal(await thumbs.count(), 12);
  await chip('rename').click();
  assert.deepEqual(await thumbs.evaluateAll(all => all.map(one => one.ariaLabel)), ['rename icon/acme-telex → icon/acme-fax']);
  await thumbs.first().click();
  assert.equal(await focused(page), 'icon/acme-fax');
  await chip('rename').click();

  // Keys alone: / to the search, what is typed narrows, Escape clears.
  await page.keyboard.press('/');
  assert.equal(await focused(page), 'search');
  await page.keyboard.type('TELEX fax');
  await page.waitForFunction(() => document.getElementById('shown').textContent === '1 of 12 shown');
  assert.deepEqual(await visible(page), ['icon/acme-fax'], 'a rename is found by its old name too');
  await page.keyboard.press('Escape');
  assert.equal(await shown.innerText(), 'all 12 shown');
  await page.keyboard.type('contrast');
  await page.waitForFunction(() => document.getElementById('shown').textContent === '1 of 12 shown');
  assert.deepEqual(await visible(page), ['icon/acme-call'], 'by the words of a finding');

  await page.locator('#search').fill('before');
  await page.waitForFunction(() => document.getElementById('shown').textContent === '0 of 12 shown');
  assert.deepEqual(await page.locator('main > .group > h2:visible').count(), 0, 'no heading over nothing');
  await page.locator('#search').fill('contrast');
  await page.waitForFunction(() => document.getElementById('shown').textContent === '1 of 12 shown');
  assert.deepEqual(await page.locator('main > .group > h2:visible').allTextContents(), ['Replace 5']);

  // A deep link shows what a filter hides.
  await page.evaluate(() => { location.hash = '#logo/acme-courier'; });
  await page.waitForFunction(() => document.activeElement.id === 'logo/acme-courier');
  assert.equal(await shown.innerText(), 'all 12 shown');

  // j and k go from card to card.
  await page.keyboard.press('j');
  assert.equal(await focused(page), 'icon/acme-fax', 'what is replaced comes first, then what is renamed');
  await page.keyboard.press('k');
  await page.keyboard.press('k');
  assert.equal(await focused(page), 'logo/acme-brand');

  // So do the arrows, among what is shown, and say where one is.
  const place = page.locator('.place');
  assert.equal(await place.innerText(), '4 / 12');
  await page.getByRole('button', { name: 'next entry' }).click();
  assert.equal(await focused(page), 'logo/acme-courier');
  assert.equal(await place.innerText(), '5 / 12');
  await chip('create').click();
  assert.equal(await place.innerText(), '– / 2');
  await page.getByRole('button', { name: 'next entry' }).click();
  assert.equal(await focused(page), 'icon/acme-warranty');
  await page.getByRole('button', { name: 'previous entry' }).click();
  assert.equal(await place.innerText(), '1 / 2', 'before the first there is none');
  await chip('create').click();

  // The skip link is the first stop and leads past everything.
  await page.evaluate(() => { document.activeElement.blur(); scrollTo(0, 0); });
  const top = await open();
  await top.keyboard.press('Tab');
  assert.equal(await top.evaluate(() => document.activeElement.textContent), 'Skip to the images');
  assert.ok(await top.locator('.skip').evaluate(link => link.getBoundingClientRect().left >= 0), 'it is seen when it has the focus');
  await top.keyboard.press('Enter');
  assert.equal(await focused(top), 'changes');

  // Tab alone reaches every kind of control, each with an outline to see.
  const reached = new Set();
  for (let press = 0; press < 60; press++) {
    await top.keyboard.press('Tab');
    const stop = await top.evaluate(() => {
      const { outlineStyle, outlineWidth } = getComputedStyle(document.activeElement);
      return { what: document.activeElement.type || document.activeElement.localName, outline: outlineStyle !== 'none' && parseFloat(outlineWidth) >= 1, body: document.activeElement === document.body };
    });
    if (stop.body) break;
    assert.ok(stop.outline, `${stop.what} has the focus and does not show it`);
    reached.add(stop.what);
  }
  for (const what of ['button', 'search', 'select-one', 'range', 'radio', 'a']) assert.ok(reached.has(what), `Tab never came to ${what}: ${[...reached]}`);

  // A link that is opened: scrolled to, focused, highlighted.
  const linked = await open({ hash: '#logo/acme-brand' });
  await linked.waitForFunction(() => document.activeElement?.id === 'logo/acme-brand');
  assert.equal(await focused(linked), 'logo/acme-brand');
  await linked.waitForFunction(() => { const box = document.getElementById('logo/acme-brand').getBoundingClientRect(); return box.top >= 0 && box.top < innerHeight; });
  // Once the transition has ended.
  await linked.waitForFunction(() => /rgb\(26, 140, 255\)/.test(getComputedStyle(document.getElementById('logo/acme-brand')).boxShadow));
  const old = await open({ hash: '#icon/acme-telex' });
  // The old name of a rename leads to it, once the page has looked where it should go.
  await old.waitForFunction(() => document.activeElement?.id === 'icon/acme-fax');
  assert.equal(await focused(old), 'icon/acme-fax');
});
