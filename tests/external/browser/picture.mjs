// Screenshots of the page in argument 2, into the file in argument 3: width, height, colours, and where to scroll to.
import { open, story } from './open.mjs';

const [, , , file, width, height, colorScheme, to] = process.argv;

await story(async () => {
  const page = await open({ width: Number(width), height: Number(height), colorScheme });
  const target = page.locator(to);
  await target.scrollIntoViewIfNeeded();
  await page.locator('.grounds').first().waitFor();
  await target.evaluate(node => node.scrollIntoView({ block: 'start' }));
  await page.waitForTimeout(300);
  await target.evaluate(node => node.scrollIntoView({ block: 'start' }));
  await page.waitForTimeout(300);
  await page.screenshot({ path: file });
});
