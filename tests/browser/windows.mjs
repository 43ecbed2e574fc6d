// Small and large windows, light and dark, reduced motion, and a browser without scripts.
import assert from 'node:assert/strict';
import { card, open, story } from './open.mjs';

const lightness = (page, selector) => page.locator(selector).first().evaluate(node => {
  const [r, g, b] = getComputedStyle(node).backgroundColor.match(/\d+/g).map(Number);
  return (r + g + b) / 3;
});

await story(async () => {
  for (const width of [360, 800, 1440]) {
    const page = await open({ width, height: 800 });
    for (const id of ['icon/acme-call', 'logo/acme-brand']) {
      const dressed = await card(page, id);
      for (const figure of await dressed.locator('figure').all()) {
        const box = await figure.boundingBox();
        assert.ok(box.x >= 0 && box.x + box.width <= width, `${id} at ${width}: ${JSON.stringify(box)}`);
      }
    }
    await page.locator('#size').selectOption('16');
    const overflow = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
    assert.ok(overflow <= 0, `${width}: the page is ${overflow} pixels wider than the window`);
  }

  const light = await open({ colorScheme: 'light' });
  const dark = await open({ colorScheme: 'dark' });
  assert.ok(await lightness(light, 'body') > 200 && await lightness(dark, 'body') < 50);
  assert.ok(await lightness(dark, '.card') < 60);
  assert.ok(await lightness(dark, '.timeline .paper') > 240, 'the portal is light in a dark page too');
  await dark.locator('#theme').selectOption('light');
  assert.ok(await lightness(dark, 'body') > 200, 'the switch wins over the system');
  await light.locator('#theme').selectOption('dark');
  assert.ok(await lightness(light, 'body') < 50);

  const moving = async reducedMotion => (await open({ reducedMotion })).evaluate(() =>
    [...document.querySelectorAll('*')].filter(node => getComputedStyle(node).transitionDuration !== '0s').length);
  assert.equal(await moving('reduce'), 0);
  assert.ok(await moving('no-preference') > 0);

  // Without its script the page has every image, and no control that would do nothing.
  const bare = await open({ javaScriptEnabled: false });
  assert.equal(await bare.locator('figure > .p:not(.none)').count(), 20);
  assert.equal(await bare.locator('button:visible,select:visible,input[type=search]:visible').count(), 0);
  assert.ok(await bare.locator('.chips').isVisible());
});
