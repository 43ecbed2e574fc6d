// Images are compared: side by side, by swipe, by onion skin, on the portal's grounds, magnified.
import assert from 'node:assert/strict';
import { card, open, story } from './open.mjs';

const colour = (element, pseudo) => element.evaluate((node, pseudo) => getComputedStyle(node, pseudo).backgroundColor, pseudo);
const clip = element => element.evaluate(node => getComputedStyle(node).clipPath);

await story(async () => {
  const page = await open();
  const call = await card(page, 'icon/acme-call');

  const [before, after, diff] = await call.locator('figure > .frame > .ground > .p').all();
  for (const image of [before, after, diff]) {
    const style = await image.evaluate(node => ({ ...getComputedStyle(node) , width: node.offsetWidth }));
    assert.equal(style.width, 24 * 8);
    assert.equal(style.imageRendering, 'pixelated');
    assert.match(style.backgroundImage, /^url\("data:image\/png;base64,/);
  }
  assert.notEqual(await before.evaluate(node => getComputedStyle(node).backgroundImage), await after.evaluate(node => getComputedStyle(node).backgroundImage));
  assert.match(await call.locator('.diff').innerText(), /^\d+ px \d+\.\d %\nx \d+–\d+, y \d+–\d+(, \d+ hardly visible)?$/);
  // The picture of what changed has neon in it: it is decoded here as the browser draws it.
  const neon = await diff.evaluate(async node => {
    const image = new Image();
    image.src = getComputedStyle(node).backgroundImage.slice(5, -2);
    await image.decode();
    const canvas = Object.assign(document.createElement('canvas'), { width: 24, height: 24 });
    const context = canvas.getContext('2d');
    context.drawImage(image, 0, 0);
    const { data } = context.getImageData(0, 0, 24, 24);
    return Array.from({ length: 576 }, (_, at) => data.slice(4 * at, 4 * at + 3).join()).filter(rgb => rgb === '255,0,212').length;
  });
  assert.ok(neon > 20 && neon < 400, `${neon} neon pixels`);

  // Swipe: the line uncovers both, and what is left of it is before, right of it after.
  const range = call.locator('input[type=range]');
  const [under, over] = await call.locator('.stage .p').all();
  const shares = async () => [await clip(under), await clip(over)];
  assert.deepEqual(await shares(), ['inset(0px 50% 0px 0px)', 'inset(0px 0px 0px 50%)']);
  await range.focus();
  for (let press = 0; press < 25; press++) await page.keyboard.press('ArrowRight');
  assert.equal(await range.getAttribute('aria-valuetext'), 'line at 75 percent');
  assert.deepEqual(await shares(), ['inset(0px 25% 0px 0px)', 'inset(0px 0px 0px 75%)']);
  await call.locator('.stage').click({ position: { x: 150, y: 90 } });
  assert.match((await shares())[1], /inset\(0px 0px 0px 78\.\d+%\)|inset\(0px 0px 0px 78%\)/);

  // The words below the range say what its ends show.
  const ends = () => call.locator('.ends span').allTextContents();
  assert.deepEqual(await ends(), ['all after', 'all before']);
  await range.fill('0');
  assert.deepEqual(await shares(), ['inset(0px 100% 0px 0px)', 'inset(0px 0px 0px 0%)'], 'nothing of before, all of after');

  // Onion skin: the same range fades.
  await call.getByLabel('onion skin').check();
  assert.deepEqual(await ends(), ['before', 'after']);
  await range.fill('30');
  assert.equal(await over.evaluate(node => getComputedStyle(node).opacity), '0.3');
  assert.equal(await clip(over), 'none');
  await range.fill('100');
  assert.equal(await over.evaluate(node => getComputedStyle(node).opacity), '1');

  // Flip: one or the other, by a click or a key.
  await call.getByLabel('flip').check();
  const flipped = () => over.evaluate(node => getComputedStyle(node).opacity);
  assert.equal(await flipped(), '1');
  await call.locator('.stage').click();
  assert.equal(await flipped(), '0');
  await range.press('ArrowRight');
  assert.equal(await flipped(), '1');

  // The portal's grounds, at its size, before and after.
  const spots = call.locator('.grounds .spot');
  assert.equal(await spots.count(), 12);
  const colours = await Promise.all((await spots.all()).slice(0, 4).map(spot => colour(spot)));
  assert.deepEqual(colours, ['rgb(47, 198, 246)', 'rgb(157, 207, 0)', 'rgb(255, 87, 82)', 'rgb(255, 255, 255)']);
  const small = spots.first().locator('.p');
  assert.equal(await small.evaluate(node => node.offsetWidth), 24);
  assert.equal(await small.evaluate(node => getComputedStyle(node).borderRadius), '50%');
  const brand = await card(page, 'logo/acme-brand');
  const tiles = brand.locator('.grounds .logotile');
  assert.match(await tiles.first().evaluate(tile => getComputedStyle(tile).backgroundImage), /rgba\(47, 198, 246, 0\.2\)/);
  assert.deepEqual(await Promise.all((await tiles.all()).slice(0, 4).map(tile => colour(tile))),
    ['rgb(255, 255, 255)', 'rgb(255, 232, 232)', 'rgb(237, 238, 240)', 'rgb(255, 241, 214)']);
  const tile = await tiles.first().evaluate(node => [node.offsetWidth, node.offsetHeight, getComputedStyle(node).borderRadius, node.firstChild.offsetWidth]);
  assert.deepEqual(tile, [80, 80, '12px', 60]);

  // Size and ground of what is magnified.
  await page.locator('#size').selectOption('8');
  assert.equal(await brand.locator('.after .p').evaluate(node => node.offsetWidth), 480);
  await page.locator('#ground').selectOption('portal');
  assert.equal(await colour(call.locator('.after .ground')), 'rgb(47, 198, 246)');
  await page.locator('#ground').selectOption('dark');
  assert.equal(await colour(call.locator('.after .ground')), 'rgb(20, 23, 28)');

  // What happens is shown by sign, word and outline.
  const signs = new Set(), outlines = new Set();
  for (const [id, word] of [['icon/acme-warranty', 'create'], ['icon/acme-call', 'replace'], ['icon/acme-fallen', 'delete'], ['icon/acme-fax', 'rename']]) {
    const heading = page.locator(`[id="${id}"] header`);
    assert.ok((await heading.locator('h3').innerText()).startsWith(word), id);
    const mark = heading.locator('.mark');
    signs.add(await mark.evaluate(node => getComputedStyle(node, '::before').content));
    outlines.add(await mark.evaluate(node => ['borderStyle', 'borderRadius', 'borderWidth'].map(name => getComputedStyle(node)[name]).join()));
  }
  assert.deepEqual([signs.size, outlines.size], [4, 4]);
  assert.match(await page.locator('[id="icon/acme-fax"] h3').innerText(), /^rename icon\/acme-telex → icon\/acme-fax$/);
  // Of a create and a delete there is one image, which needs no word.
  await page.locator('#size').selectOption('fit');
  for (const id of ['icon/acme-warranty', 'icon/acme-fallen']) {
    const cell = page.locator(`.grid > [id="${id}"]`);
    assert.match(await cell.locator('figcaption').innerText(), /^\d+ B$/);
    assert.equal(await cell.locator('.p').first().evaluate(node => node.offsetWidth), 24 * 4);
    assert.equal(await cell.locator('.grounds .spot').count(), 4, 'on the portal’s own grounds');
  }
  assert.equal(await page.locator('.tile').count(), 3);
  assert.match(await page.locator('[id="icon/acme-sign"] .diff').innerText(), /hardly visible/);

  // Findings are beside their image, the guards at the top with the way out.
  assert.match(await call.locator('.findings').innerText(), /low-contrast.*hardly seen/);
  assert.equal(await call.locator('.by').innerText(), 'declared file last changed by Ada Painter in 9a0b1c2d3e');
  const refused = page.locator('.guards .refused');
  assert.match(await refused.innerText(), /protect.*logo\/acme-brand\n?.*edit protect/s);
  assert.ok(await refused.isVisible());

  // The timeline, before and after.
  const entry = page.locator('.timeline .log').first();
  assert.equal(await colour(entry.locator('.marker')), 'rgb(255, 255, 255)');
  assert.equal(await colour(entry.locator('.paper')), 'rgb(248, 250, 251)');
  assert.deepEqual([await entry.locator('.now').isVisible(), await entry.locator('.was').isVisible()], [true, false]);
  // A rename is two codes there: the new one is not there before, the old one has no image after.
  const half = code => page.locator('.timeline .log', { hasText: `icon/acme-${code}` });
  const drawn = code => half(code).locator('.p:visible').evaluate(node => !node.matches('.none'));
  assert.deepEqual([await drawn('fax'), await drawn('telex')], [true, false]);
  assert.match(await half('telex').innerText(), /, which is deleted$/);
  await page.getByLabel('before', { exact: true }).check();
  assert.deepEqual([await drawn('fax'), await drawn('telex')], [false, true]);
  assert.match(await half('fax').innerText(), /, which does not exist yet$/);
  assert.doesNotMatch(await half('telex').innerText(), /deleted/);
  assert.deepEqual([await entry.locator('.now').isVisible(), await entry.locator('.was').isVisible()], [false, true]);
});
