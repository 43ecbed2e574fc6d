// A page of thirteen changes.
import { open, story } from './open.mjs';

await story(async () => {
  const page = await open();
  await page.waitForTimeout(500);
  console.log(`${await page.evaluate(() => document.documentElement.scrollHeight)} px high at 1,440`);
});
