// A page in a real Chromium. Whatever the page complains of, asks for or breaks of its own policy fails the script.
import assert from 'node:assert/strict';
import { pathToFileURL } from 'node:url';
import { chromium } from 'playwright-core';

// A file, or where a server has it.
const [, , given] = process.argv;
const url = given.startsWith('http://') ? given : pathToFileURL(given).href;
const browser = await chromium.launch({
  executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
  // Tests run as root in containers, where Chromium's own sandbox cannot.
  args: ['--no-sandbox', '--disable-gpu'],
});
const faults = [];

/// Opens the page; `settings` are those of a browser context.
export const open = async ({ hash = '', width = 1440, height = 900, ...settings } = {}) => {
  const context = await browser.newContext({ viewport: { width, height }, ...settings });
  const page = await context.newPage();
  // How long a page takes depends on what else the machine does; only one that never comes is a fault.
  page.setDefaultTimeout(180_000);
  page.on('console', message => ['error', 'warning'].includes(message.type()) && faults.push(message.text()));
  page.on('pageerror', error => faults.push(String(error)));
  page.on('request', request => /^(file|data):/.test(request.url()) || request.url() === url || faults.push(`asked for ${request.url()}`));
  await page.addInitScript(() => addEventListener('securitypolicyviolation', event =>
    console.error(`the policy forbids ${event.violatedDirective} ${event.blockedURI}`)));
  await page.goto(url + hash);
  return page;
};

/// What has an id.
export const called = (page, id) => page.locator(`[id=${JSON.stringify(id)}]`);

/// The card of an entry, once it is dressed with everything.
export const card = async (page, id) => {
  const card = called(page, id);
  await card.scrollIntoViewIfNeeded();
  await card.locator('.grounds').waitFor();
  return card;
};

/// Runs a story; ends the browser, and the process with its status.
export const story = async run => {
  try {
    await run();
    assert.deepEqual(faults, []);
  } finally {
    await browser.close();
  }
};
