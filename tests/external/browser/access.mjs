// axe-core finds nothing serious, and every image says what it is.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { open, story } from './open.mjs';

const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');

await story(async () => {
  // A narrow window has places that must be scrolled sideways.
  for (const [colorScheme, width] of [['light', 1440], ['dark', 1440], ['light', 360]]) {
    const page = await open({ colorScheme, width, height: 30000 });
    await page.waitForFunction(() => [...document.querySelectorAll('.card')].every(card => !card.querySelector('figure>.p:not(.none)')));
    // The page's policy forbids scripts, so this one comes from outside of it.
    await page.evaluate(axe);
    const { violations } = await page.evaluate(() => axe.run(document, { resultTypes: ['violations'] }));
    const grave = violations.filter(({ impact }) => ['serious', 'critical'].includes(impact));
    assert.deepEqual(grave.map(({ id, help, nodes }) => [id, help, nodes.slice(0, 3).map(({ html, failureSummary }) => [html.slice(0, 200), failureSummary])]), [], `${colorScheme}, ${width}`);
    for (const { id, impact, nodes } of violations) console.log(`axe, ${colorScheme}, ${width}: ${impact} ${id} (${nodes.length})`);
    const silent = await page.locator('[role=img]').evaluateAll(all => all.filter(image => !image.ariaLabel?.trim()).length);
    assert.equal(silent, 0);
    await page.close();
  }
});
