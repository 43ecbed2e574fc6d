// Replaces for which the usual numbers would say something wrong.
import assert from 'node:assert/strict';
import { card, open, story } from './open.mjs';

await story(async () => {
  const page = await open();
  // An image of another size keeps its form, and its size is shown.
  const wide = await card(page, 'icon/acme-wide');
  assert.match(await wide.locator('.before figcaption').innerText(), /^before \d+ B, 48×24 px instead of 24×24$/);
  assert.match(await wide.locator('header p').innerText(), /another size/);
  assert.equal(await wide.locator('.diff,.over').count(), 0);
  const shot = await wide.locator('.before .p').screenshot();
  const colours = await page.evaluate(async shot => {
    const image = new Image();
    image.src = `data:image/png;base64,${shot}`;
    await image.decode();
    const canvas = Object.assign(document.createElement('canvas'), { width: image.width, height: image.height });
    const context = canvas.getContext('2d', { willReadFrequently: true });
    context.drawImage(image, 0, 0);
    const red = y => context.getImageData(image.width / 4, y, 1, 1).data[0];
    return [red(image.height / 2), red(image.height / 8)];
  }, shot.toString('base64'));
  assert.equal(colours[0], 200, 'the drawing is in the middle');
  assert.notEqual(colours[1], 200, 'and not stretched over the whole height');

  // The same bytes are not called other ones.
  const same = await card(page, 'icon/acme-case');
  assert.match(await same.locator('header p').innerText(), /^spelt ACME-case on the portal; the image is the same, byte for byte$/);
  assert.equal(await same.locator('.diff').count(), 0);
  assert.doesNotMatch(await same.innerText(), /colour profile/);

  // 30 of 576 pixels.
  assert.match(await (await card(page, 'icon/acme-few')).locator('.diff').innerText(), /^30 px 5\.2 %/);
});
