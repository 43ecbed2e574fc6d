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

  // Every ground of a card is in sight where there is room for it, and can be scrolled to where there is none.
  for (const width of [1380, 1390, 1400, 1429, 1430, 1440]) {
    const page = await open({ width, height: 800 });
    for (const id of ['icon/acme-call', 'logo/acme-brand']) {
      const dressed = await card(page, id);
      const [last, edge] = await dressed.evaluate(node => [[...node.querySelectorAll('.grounds td')].at(-1), node].map(one => one.getBoundingClientRect().right));
      assert.ok(last <= edge, `${id} at ${width}: the last ground ends at ${last}, its card at ${edge}`);
      const { scrolled, stop } = await dressed.locator('.grounds').evaluate(node => ({ scrolled: node.scrollWidth > node.clientWidth, stop: node.tabIndex === 0 }));
      assert.deepEqual([scrolled, stop], [false, false], `${id} at ${width}`);
    }
  }
  const phone = await open({ width: 360 });
  const grounds = (await card(phone, 'logo/acme-brand')).locator('.grounds');
  await phone.waitForFunction(() => document.querySelector('.logo .grounds')?.tabIndex === 0);
  assert.ok(await grounds.evaluate(node => node.scrollWidth > node.clientWidth));

  // What a link leads to is not below the tools, however many rows these have.
  for (const width of [702, 720, 800, 1000, 1440]) {
    const page = await open({ width, height: 700, hash: '#icon/acme-warranty' });
    await page.waitForFunction(() => document.activeElement.id === 'icon/acme-warranty');
    await page.waitForFunction(() => {
      const [card, tools] = [document.activeElement, document.querySelector('.tools')].map(node => node.getBoundingClientRect());
      return card.top >= tools.bottom && card.top < tools.bottom + 60;
    }, undefined, { timeout: 5000 }).catch(() => assert.fail(`at ${width} the tools cover the card`));
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
  const said = (selector, pseudo = '::before') => bare.locator(selector).first().evaluate((node, pseudo) => getComputedStyle(node, pseudo).content, pseudo);
  for (const [id, word] of [['icon/acme-warranty', 'create'], ['icon/acme-call', 'replace'], ['icon/acme-fallen', 'delete'], ['icon/acme-fax', 'rename']]) {
    assert.equal(await said(`[id="${id}"] > h3`), `"${word} "`);
  }
  assert.deepEqual([await said('.replace > .before'), await said('.replace > .before + figure'), await said('.replace > .diff')], ['"before"', '"after"', '"changed"']);
  assert.match(await bare.locator('[id="icon/acme-call"]').textContent(), /^icon\/acme-calldeclared file last changed by Ada Painter in 9a0b1c2d3e\d+ B\d+ B\d+ px \d+\.\d %x .*warning low-contrast/);
  assert.equal(await bare.evaluate(() => document.documentElement.scrollWidth <= innerWidth), true);
});
