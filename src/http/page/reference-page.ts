import { Scalar } from '@scalar/hono-api-reference';
import { Hono } from 'hono';
import type { Answer } from '../answer.ts';
import { ICON, inlineSource, pageFields } from './page.ts';

/** Where the page finds its one script, and the API description. */
const SCRIPT_PATH = '/docs/reference.js';
const DOCUMENT_PATH = '/openapi.json';

/** Everything that would ask somebody else for anything is off: fonts, telemetry, proxy, sharing, agents. */
const configuration = {
  url: DOCUMENT_PATH,
  cdn: SCRIPT_PATH,
  pageTitle: 'PixPax receipt ledger · API reference',
  theme: 'default',
  withDefaultFonts: false,
  telemetry: false,
  hideClientButton: true,
  showDeveloperTools: 'never',
  authentication: { preferredSecurityScheme: 'bearer' },
  agent: { disabled: true },
  mcp: { disabled: true },
  defaultHttpClient: { targetKey: 'shell', clientKey: 'curl' },
} as const;

const INLINE_SCRIPT = /<script(?![^>]*\bsrc=)[^>]*>([\s\S]*?)<\/script>/g;

/** The reference page. Scripts are the one we serve and the inline ones counted here; connections go to this service alone. */
export const referencePage = async (): Promise<Answer> => {
  const rendered = await new Hono().get('/', Scalar(configuration)).request('/');
  const body = (await rendered.text()).replace('<head>', `<head>\n    ${ICON}`);
  const inline = [...body.matchAll(INLINE_SCRIPT)].map(([, script = '']) => inlineSource(script));
  const policy = [
    "default-src 'none'",
    `script-src 'self' ${inline.join(' ')}`,
    "style-src 'self' 'unsafe-inline'",
    "img-src 'self' data: blob:",
    "font-src 'self' data:",
    "connect-src 'self'",
    "base-uri 'none'",
    "form-action 'self'",
    "frame-ancestors 'none'",
  ].join('; ');
  return { status: 200, headers: pageFields(policy), body };
};
