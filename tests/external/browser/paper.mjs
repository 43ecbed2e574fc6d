// A page of thirteen changes: it is short, one picture has all of it, and so has paper, where backgrounds are not printed.
import assert from 'node:assert/strict';
import { open, story } from './open.mjs';

/// The images of a PDF, each as its width and height: what is printed of a page that is drawn with images alone.
const printed = pdf => [...pdf.toString('latin1').matchAll(/<<[^]*?>>/g)]
  .map(([dictionary]) => dictionary)
  .filter(dictionary => dictionary.includes('/Subtype /Image'))
  .map(dictionary => ['Width', 'Height'].map(side => Number(dictionary.match(new RegExp(`/${side} (\\d+)`))[1])));

await story(async () => {
  const page = await open();
  const height = await page.evaluate(() => document.documentElement.scrollHeight);
  console.log(`13 changes are ${height} px high at 1,440`);
  // With a card a row they were 5,776.
  assert.ok(height < 5776 / 2.7, `${height}`);
  const rows = await page.locator('.grid.icons .card').evaluateAll(all => new Set(all.map(card => card.offsetTop)).size);
  assert.ok(rows < 5, `nine icons in ${rows} rows`);

  // A picture of the whole page, from a window that shows little of it: every card has its image in it.
  const low = await open({ height: 300 });
  const shot = `data:image/png;base64,${(await low.screenshot({ fullPage: true })).toString('base64')}`;
  const boxes = await low.locator('.card .p:not(.none)').evaluateAll(all => all.map(image => {
    const { left, top, width, height } = image.getBoundingClientRect();
    return [left, top + scrollY, width, height].map(Math.round);
  }));
  assert.ok(boxes.length >= 13 * 5, 'each at a size to look at, and on four grounds');
  const blank = await page.evaluate(async ([shot, boxes]) => {
    const image = new Image();
    image.src = shot;
    await image.decode();
    const canvas = Object.assign(document.createElement('canvas'), { width: image.width, height: image.height });
    const context = canvas.getContext('2d', { willReadFrequently: true });
    context.drawImage(image, 0, 0);
    return boxes.filter(([left, top, width, height]) => {
      const colours = new Set();
      const { data } = context.getImageData(left, top, width, height);
      for (let at = 0; at < data.length; at += 4) colours.add(data.slice(at, at + 3).join());
      return colours.size < 4;
    });
  }, [shot, boxes]);
  assert.deepEqual(blank, []);

  // On paper, with backgrounds off. A dark page is printed light.
  for (const colorScheme of ['light', 'dark']) {
    const sheet = await open({ colorScheme });
    const pdf = await sheet.pdf({ format: 'A4', printBackground: false });
    const images = printed(pdf);
    const distinct = side => images.filter(([width, height]) => width === side && height === side).length;
    assert.ok(distinct(24) >= 9 && distinct(60) >= 4, `${colorScheme}: nine icons and four logos, not ${JSON.stringify(images)}`);
    await sheet.emulateMedia({ media: 'print' });
    const ink = await sheet.evaluate(() => getComputedStyle(document.body).color);
    assert.ok(ink.match(/\d+/g).every(channel => channel < 80), `${colorScheme}: ${ink}`);
    assert.equal(await sheet.locator('.choices:visible,.glance:visible').count(), 0);
  }

  // Nothing of it needs to be scrolled sideways on a phone, and each card is as wide as the window lets it.
  const phone = await open({ width: 360, height: 740 });
  assert.equal(await phone.evaluate(() => document.documentElement.scrollWidth), 360);
});
