import { readFileSync, readdirSync } from 'node:fs';
import { beforeAll, describe, expect, it } from 'vitest';
import { makeWorld } from '../ledger.fixture.ts';
import { inlineSource } from './page.ts';
import { pageScriptPath, pageScripts } from './page-script.ts';

const folder = new URL('./script/', import.meta.url);
const textOf = (script: string): string => readFileSync(new URL(script, folder), 'utf8');

let ask: (path: string, headers?: Record<string, string>) => Promise<Response>;
beforeAll(async () => {
  const world = await makeWorld();
  ask = (path, headers = {}) => world.ask('GET', path, { as: null, headers });
});

describe('/sign-in', () => {
  it('runs no script but those it names, and allows the styles it holds and nothing more', async () => {
    const answer = await ask('/sign-in');
    expect([answer.status, answer.headers.get('content-type')]).toEqual([200, 'text/html; charset=utf-8']);
    const html = await answer.text();
    const styles = [...html.matchAll(/<style>([\s\S]*?)<\/style>/g)].map(([, text = '']) => inlineSource(text));
    expect((answer.headers.get('content-security-policy') ?? '').split('; ')).toEqual([
      "default-src 'none'",
      `style-src ${styles.join(' ')}`,
      "img-src 'self' data:",
      "script-src 'self'",
      "connect-src 'self'",
      "require-trusted-types-for 'script'",
      "trusted-types 'none'",
      "base-uri 'none'",
      "form-action 'none'",
      "frame-ancestors 'none'",
    ]);
    expect(html.match(/<script[^>]*>/g)).toEqual([`<script type="module" src="${pageScriptPath('page.js')}">`]);
    expect(html).not.toMatch(/\s(on\w+|style)=/);
  });

  it('has a label for every field', async () => {
    const html = await (await ask('/sign-in')).text();
    const ids = [...html.matchAll(/<(?:input|select) id="([^"]+)"/g)].map(([, id]) => id);
    expect(ids.length).toBeGreaterThan(5);
    expect([...html.matchAll(/ for="([^"]+)"/g)].map(([, id]) => id)).toEqual(ids);
    expect(ids).toHaveLength(new Set(ids).size);
  });
});

describe('the scripts of /sign-in', () => {
  it('are all that there are, and import only each other', () => {
    expect(readdirSync(folder).sort()).toEqual([...pageScripts].sort());
    const imported = pageScripts.flatMap((script) => [...textOf(script).matchAll(/ from '([^']+)'/g)].map(([, from]) => from));
    expect(new Set(imported)).toEqual(new Set(pageScripts.filter((each) => each !== 'page.js').map((each) => `./${each}`)));
  });

  it('are served as they are in their files, and not again to whoever has them', async () => {
    for (const script of pageScripts) {
      const answer = await ask(pageScriptPath(script));
      expect([answer.status, answer.headers.get('content-type')]).toEqual([200, 'text/javascript; charset=utf-8']);
      expect(await answer.text()).toBe(textOf(script));
      const again = await ask(pageScriptPath(script), { 'if-none-match': answer.headers.get('etag') ?? '' });
      expect([again.status, await again.text()]).toEqual([304, '']);
    }
  });

  it.each(['other.js', 'page.ts', 'toString', '..%2fpage.ts', '%2e%2e%2f%2e%2e%2fapp.ts', 'page.js%00', 'page.js/'])(
    'do not include %s',
    async (name) => {
      expect((await ask(`/sign-in/${name}`)).status).toBe(404);
    },
  );

  it.each(pageScripts)('%s makes no markup out of text, and runs none', (script) => {
    expect(textOf(script)).not.toMatch(
      /innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\b|new Function|DOMParser|srcdoc/,
    );
  });
});
