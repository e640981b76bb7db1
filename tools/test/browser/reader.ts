import { mkdirSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import type { AxeResults } from 'axe-core';
import type { Browser, BrowserContextOptions, Page } from 'playwright-core';

const screenshots = join(import.meta.dirname, '../../../screenshots');
const axe = createRequire(import.meta.url).resolve('axe-core');

/** Widths and colours that each state of a page is looked at in. */
const looks = {
  light: { colorScheme: 'light', width: 1200, height: 800 },
  dark: { colorScheme: 'dark', width: 1200, height: 800 },
  narrow: { colorScheme: 'light', width: 360, height: 740 },
} as const;

/** Somebody in front of a browser of their own, who notes whatever goes wrong on pages of the console. */
export async function newReader(browser: Browser, console: string, options: BrowserContextOptions = {}) {
  const context = await browser.newContext(options);
  const page = await context.newPage();
  const complaints: string[] = [];
  // Violations of the content security policy are errors of the console as well.
  page.on('console', (message) => {
    const isOurs = message.location().url.startsWith(console);
    if (isOurs && ['error', 'warning'].includes(message.type())) complaints.push(message.text());
  });
  page.on('pageerror', (error) => complaints.push(String(error)));
  page.on('request', (request) => {
    const { hostname, protocol } = new URL(request.url());
    if (hostname !== '127.0.0.1' && protocol !== 'data:') complaints.push(`asked ${hostname}`);
  });
  return { page, complaints, close: () => context.close() };
}

/** What axe finds wrong with a page for people who read it in other ways, or see less of it. */
export async function accessibilityProblems(page: Page): Promise<string[]> {
  // Into a world of its own, which the page's policy does not bind.
  const session = await page.context().newCDPSession(page);
  const { frameTree } = await session.send('Page.getFrameTree');
  const { executionContextId: contextId } = await session.send('Page.createIsolatedWorld', {
    frameId: frameTree.frame.id,
  });
  const run = async (expression: string) => {
    const { result, exceptionDetails } = await session.send('Runtime.evaluate', {
      contextId,
      expression,
      awaitPromise: true,
      returnByValue: true,
    });
    if (exceptionDetails !== undefined) throw new Error(exceptionDetails.exception?.description);
    return result.value as unknown;
  };
  await run(`${readFileSync(axe, 'utf8')}; undefined`);
  const { violations } = (await run('axe.run()')) as AxeResults;
  await session.detach();
  return violations.map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html).join(' ')}`);
}

/** Keeps what a page looks like, where `SCREENSHOTS=on`: for people to look at. */
export async function shoot(page: Page, name: string): Promise<void> {
  if (process.env['SCREENSHOTS'] !== 'on') return;
  mkdirSync(screenshots, { recursive: true });
  const before = page.viewportSize();
  for (const [look, { colorScheme, ...size }] of Object.entries(looks)) {
    await page.emulateMedia({ colorScheme });
    await page.setViewportSize(size);
    await page.screenshot({ path: join(screenshots, `${name}-${look}.png`), fullPage: true });
  }
  await page.emulateMedia({ colorScheme: null });
  if (before !== null) await page.setViewportSize(before);
}
