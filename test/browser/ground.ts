import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { type AddressInfo, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Browser, type BrowserContext, type Page, chromium } from 'playwright-core';
import { startService } from '../e2e/service.ts';

const places = ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome', '/snap/bin/chromium'];

const findChromium = (): string => {
  const found = process.env.CHROMIUM ?? places.find((place) => existsSync(place));
  if (found === undefined) throw new Error(`no Chromium at ${places.join(', ')}: install one, or say where it is in CHROMIUM`);
  return found;
};

/** A page's own words about what went wrong in it. Answers that are no success are told apart: a test may want those. */
export type Watched = { readonly page: Page; readonly complaints: string[]; readonly refusals: string[] };

export type Ground = {
  readonly url: string;
  /** A browser of somebody's: its own cookies, and its own address, so that no allowance is shared. */
  visitor(options?: Parameters<Browser['newContext']>[0]): Promise<Watched & { readonly context: BrowserContext }>;
  close(): Promise<void>;
};

/** The whole service under the address that its passkeys are for, and a Chromium. */
export const openGround = async (): Promise<Ground> => {
  const folder = await mkdtemp(join(tmpdir(), 'pixpax-browser-'));
  const port = await freePort();
  const url = `http://localhost:${port}`;
  const service = await startService(folder, { PORT: String(port), PUBLIC_URL: url, TRUSTED_PROXIES: '1' });
  await service.ready;
  const args = ['--disable-dev-shm-usage', ...(process.getuid?.() === 0 ? ['--no-sandbox'] : [])];
  const browser = await chromium.launch({ executablePath: findChromium(), args });
  let visitors = 0;
  return {
    url,
    visitor: async (options = {}) => {
      visitors += 1;
      const extraHTTPHeaders = { 'X-Forwarded-For': `192.0.2.${visitors}` };
      const context = await browser.newContext({ baseURL: url, extraHTTPHeaders, ...options });
      return { context, ...watched(await context.newPage()) };
    },
    close: async () => {
      await browser.close();
      await service.stop();
      await rm(folder, { recursive: true, force: true });
    },
  };
};

const freePort = (): Promise<number> =>
  new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const { port } = server.address() as AddressInfo;
      server.close(() => resolve(port));
    });
  });

/** Listens to a page: violations of its policy are console errors too. */
export const watched = (page: Page): Watched => {
  const complaints: string[] = [];
  const refusals: string[] = [];
  page.on('pageerror', (error) => complaints.push(error.message));
  page.on('console', (message) => {
    if (message.type() !== 'error' && message.type() !== 'warning') return;
    (message.text().startsWith('Failed to load resource') ? refusals : complaints).push(`${page.url()}: ${message.text()}`);
  });
  return { page, complaints, refusals };
};

/** A picture of the page for people, when SCREENSHOTS says where. */
export const picture = async (page: Page, name: string): Promise<void> => {
  const folder = process.env.SCREENSHOTS;
  if (folder === undefined) return;
  await mkdir(folder, { recursive: true });
  await page.screenshot({ path: join(folder, `${name}.png`), fullPage: true });
};
