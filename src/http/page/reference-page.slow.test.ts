import { existsSync } from 'node:fs';
import { pino } from 'pino';
import { type Browser, type Page, chromium } from 'playwright-core';
import { Registry } from 'prom-client';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createApp } from '../app.ts';
import { makeWorld } from '../ledger.fixture.ts';
import { type Serving, serve } from '../serve.ts';

const executablePath = process.env.CHROMIUM ?? '/usr/bin/chromium';

describe.skipIf(!existsSync(executablePath))('the reference page in a browser', () => {
  let serving: Serving;
  let browser: Browser;
  let page: Page;
  const asked: string[] = [];
  const complaints: string[] = [];
  beforeAll(async () => {
    const { parts } = await makeWorld();
    const log = pino({ level: 'silent' });
    serving = await serve(createApp({ ...parts, metrics: new Registry() }).fetch, { host: '127.0.0.1', port: 0, log });
    browser = await chromium.launch({ executablePath, args: ['--no-sandbox', '--disable-dev-shm-usage'] });
    page = await browser.newPage();
    page.on('request', (request) => asked.push(request.url()));
    page.on('console', (message) => (message.type() === 'error' ? complaints.push(message.text()) : undefined));
    page.on('pageerror', (error) => complaints.push(error.message));
  });
  afterAll(async () => {
    await browser?.close();
    await serving?.stop();
  });

  it('shows the routes, sends a request, and asks nobody but the service for anything', async () => {
    await page.goto(`${serving.url}/docs#tag/operations/GET/health`);
    await page.getByRole('heading', { name: 'PixPax receipt ledger' }).waitFor();
    await page
      .getByRole('button', { name: /Test Request.*\/health\)/ })
      .first()
      .click();
    await page.getByRole('button', { name: /^Send/ }).first().click();
    await page.getByText('200 OK').first().waitFor();
    expect(asked.filter((url) => !url.startsWith(serving.url) && !/^(data|blob):/.test(url))).toEqual([]);
    expect(asked).toContain(`${serving.url}/health`);
    expect(complaints).toEqual([]);
  });

  it('gets its script compressed where that is taken, and the same script where not', async () => {
    const lengthFor = async (acceptEncoding: string) => {
      const answer = await fetch(`${serving.url}/docs/reference.js`, { headers: { 'Accept-Encoding': acceptEncoding } });
      const { length } = await answer.text();
      return [answer.headers.get('content-encoding'), length];
    };
    const [, length] = await lengthFor('identity');
    expect(await lengthFor('gzip')).toEqual(['gzip', length]);
    expect(await lengthFor('gzip;q=0, identity')).toEqual([null, length]);
  });
});
