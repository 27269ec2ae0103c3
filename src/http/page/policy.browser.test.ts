import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { type Server, createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { pino } from 'pino';
import { type Browser, type Page, chromium } from 'playwright-core';
import { Registry } from 'prom-client';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { createApp } from '../app.ts';
import { makeWorld, publishOne } from '../ledger.fixture.ts';
import { type Serving, serve } from '../serve.ts';

const executablePath = process.env.CHROMIUM ?? '/usr/bin/chromium';

/** What the header fields of `security-field.ts` do in a browser: pages of ours work, and nothing of anybody else's runs in them. */
describe.skipIf(!existsSync(executablePath))('pages in a browser', () => {
  let serving: Serving;
  let elsewhere: Server;
  let browser: Browser;
  let page: Page;
  let art: string;
  let complaints: string[];
  beforeAll(async () => {
    const world = await makeWorld(({ authentication }) => ({
      authentication: { ...authentication, handle: () => Promise.resolve(Response.json(null)) },
    }));
    const collection = await world.ask('GET', `/v1/collections/${await publishOne(world)}`);
    art = ((await collection.json()) as { cards: { artHash: string }[] }).cards[0]?.artHash ?? '';
    const log = pino({ level: 'silent' });
    const app = createApp({ ...world.parts, metrics: new Registry() });
    serving = await serve(app.fetch, { host: '127.0.0.1', port: 0, log });
    const frames = ['/', '/sign-in', '/docs'].map((path) => `<iframe src="${serving.url}${path}"></iframe>`).join('');
    elsewhere = createServer((_request, response) => {
      response.setHeader('Content-Type', 'text/html').end(`<!doctype html><p>elsewhere</p>${frames}`);
    });
    elsewhere.listen(0, '127.0.0.1');
    await once(elsewhere, 'listening');
    browser = await chromium.launch({ executablePath, args: ['--no-sandbox', '--disable-dev-shm-usage'] });
  });
  beforeEach(async () => {
    page = await browser.newPage();
    complaints = [];
    page.on('console', (message) => (message.type() === 'error' ? complaints.push(message.text()) : undefined));
    page.on('pageerror', (error) => complaints.push(error.message));
    return () => page.close();
  });
  afterAll(async () => {
    await browser?.close();
    elsewhere?.close();
    await serving?.stop();
  });
  /** Another origin, and another site: ours is `localhost`. */
  const otherSite = () => `http://127.0.0.1:${(elsewhere.address() as AddressInfo).port}/`;

  it.each(['/', '/problems', '/problems/stale-base', '/sign-in', '/docs'])('%s is shown without a complaint', async (path) => {
    const answer = await page.goto(`${serving.url}${path}`);
    await page.waitForLoadState('networkidle');
    expect(answer?.status()).toBe(200);
    expect((await page.locator('body').innerText()).length).toBeGreaterThan(100);
    // What the page’s style says came through: the policy names it by its hash.
    if (path !== '/docs')
      expect(await page.evaluate(`getComputedStyle(document.querySelector('main')).maxWidth`)).not.toBe('none');
    expect(complaints).toEqual([]);
  });

  it.each(['/', '/problems', '/sign-in', '/docs'])('%s runs no script that got into it', async (path) => {
    await page.goto(`${serving.url}${path}`);
    const inject = `(() => {
      const script = document.createElement('script');
      try { script.textContent = 'globalThis.injected = true'; } catch { return 'refused'; }
      document.body.append(script);
      return globalThis.injected === true ? 'ran' : 'refused';
    })()`;
    expect(await page.evaluate(inject)).toBe('refused');
    expect(complaints.join(' ')).toMatch(/Content Security Policy|TrustedScript/);
  });

  it('is in no frame of another site', async () => {
    await page.goto(otherSite());
    await page.waitForLoadState('networkidle');
    const frames = page.frames().slice(1);
    expect(frames).toHaveLength(3);
    const texts = await Promise.all(frames.map((frame) => frame.evaluate('document.body.innerText').catch(() => '')));
    for (const text of texts) expect(text).not.toMatch(/PixPax|Sign in|receipt/);
  });

  it('gives another site art to show, and nothing else of ours as an image or a script', async () => {
    await page.goto(otherSite());
    const loads = (tag: 'img' | 'script', path: string) =>
      page.evaluate(`new Promise((resolve) => {
        const element = document.createElement('${tag}');
        element.onload = () => resolve(true);
        element.onerror = () => resolve(false);
        element.src = '${serving.url}${path}';
        document.body.append(element);
      })`);
    expect(await loads('img', `/v1/art/${art}`)).toBe(true);
    for (const path of ['/docs/reference.js', '/openapi.json', '/.well-known/pixpax-ledger.json'])
      expect([path, await loads('script', path)]).toEqual([path, false]);
  });
});
