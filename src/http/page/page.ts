import { hash } from 'node:crypto';
import type { Answer } from '../answer.ts';

const ENTITIES: { readonly [char: string]: string } = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', "'": '&#39;' };

/** Text for an element or a quoted attribute. */
export const escaped = (text: string): string => text.replace(/[&<>"']/g, (char) => ENTITIES[char] ?? char);

/** The source expression of Content-Security-Policy that allows exactly this inline text (CSP 3, §2.3.1). */
export const inlineSource = (text: string): string => `'sha256-${hash('sha256', text, 'base64')}'`;

const STYLE = `
:root { color-scheme: light dark; --ink: #1d2433; --soft: #5b6475; --paper: #fbfaf7; --card: #ffffff; --line: #e4e1d8; --accent: #7a3cd6; --code: #f3f0fa }
@media (prefers-color-scheme: dark) {
  :root { --ink: #e8e9ee; --soft: #a2a8b6; --paper: #15161c; --card: #1d1f28; --line: #2d303c; --accent: #b794ff; --code: #262334 }
}
* { box-sizing: border-box }
body { margin: 0; background: var(--paper); color: var(--ink); font: 16px/1.6 system-ui, "Segoe UI", Roboto, "Helvetica Neue", sans-serif }
main { max-width: 46rem; margin: 0 auto; padding: 4rem 1.5rem 6rem }
h1 { font-size: 2.1rem; line-height: 1.2; letter-spacing: -0.02em; margin: 0 0 0.75rem }
h2 { font-size: 1.05rem; margin: 2.75rem 0 0.75rem }
p { margin: 0 0 1rem }
.lead { font-size: 1.15rem; color: var(--soft); max-width: 38rem }
a { color: var(--accent); text-decoration-thickness: 1px; text-underline-offset: 3px }
ul.cards { list-style: none; padding: 0; margin: 0; display: grid; grid-template-columns: repeat(auto-fit, minmax(13rem, 1fr)); gap: 0.75rem }
ul.cards li { background: var(--card); border: 1px solid var(--line); border-radius: 10px; padding: 0.9rem 1.1rem }
ul.cards a { font-weight: 600; text-decoration: none }
ul.cards span { display: block; color: var(--soft); font-size: 0.9rem; line-height: 1.45 }
pre { background: var(--code); border: 1px solid var(--line); border-radius: 10px; padding: 1rem 1.1rem; overflow-x: auto }
code { font: 0.875rem/1.6 ui-monospace, "SF Mono", Menlo, Consolas, "DejaVu Sans Mono", monospace }
table { border-collapse: collapse; width: 100%; font-size: 0.95rem }
th, td { text-align: left; vertical-align: top; padding: 0.55rem 0.75rem 0.55rem 0; border-top: 1px solid var(--line) }
th { font-weight: 600; border-top: 0 }
td:first-child { white-space: nowrap }
.soft { color: var(--soft) }
.fingerprint { overflow-wrap: anywhere }
`;

/** What a page has beyond HTML: a style of its own, and modules of ours, of which the first is run and the others are what it imports. */
export type PageParts = { readonly style?: string; readonly modules?: readonly string[] };

/** Modules talk to this service alone, and can neither make markup out of text nor run any. */
const MODULE_POLICY = ["script-src 'self'", "connect-src 'self'", "require-trusted-types-for 'script'", "trusted-types 'none'"];

const policyOf = ({ style, modules }: PageParts): string =>
  [
    "default-src 'none'",
    ['style-src', inlineSource(STYLE), ...(style === undefined ? [] : [inlineSource(style)])].join(' '),
    "img-src 'self' data:",
    ...(modules === undefined ? [] : MODULE_POLICY),
    "base-uri 'none'",
    "form-action 'none'",
    "frame-ancestors 'none'",
  ].join('; ');

const headOf = ({ style, modules: [first, ...imported] = [] }: PageParts): readonly string[] => [
  ...(style === undefined ? [] : [`<style>${style}</style>`]),
  ...imported.map((path) => `<link rel="modulepreload" href="${path}">`),
  ...(first === undefined ? [] : [`<script type="module" src="${first}"></script>`]),
];

/** Browsers ask for an icon in any case: this one is part of the page. */
export const ICON =
  "<link rel=\"icon\" href=\"data:image/svg+xml,%3Csvg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 32 32'%3E" +
  "%3Crect width='32' height='32' rx='8' fill='%237a3cd6'/%3E" +
  "%3Cpath d='M9 8h14v17l-3.5-2.5L16 25l-3.5-2.5L9 25z' fill='white'/%3E%3C/svg%3E\">";

/** Fields of every page for people: nothing from elsewhere, in no frame. */
export const pageFields = (policy: string): Readonly<Record<string, string>> => ({
  'Content-Type': 'text/html; charset=utf-8',
  'Content-Security-Policy': policy,
  'Referrer-Policy': 'no-referrer',
  'X-Frame-Options': 'DENY',
  'Cache-Control': 'no-cache',
});

/** A page for people, complete in itself but for its modules. `main` is HTML. */
export const page = (title: string, main: string, parts: PageParts = {}): Answer => ({
  status: 200,
  headers: pageFields(policyOf(parts)),
  body: `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${escaped(title)}</title>
${[ICON, `<style>${STYLE}</style>`, ...headOf(parts)].join('\n')}
</head>
<body><main>
${main}
</main></body>
</html>
`,
});
