import { z } from 'zod';
import { freshAnswer } from '../answer.ts';
import { noBody, noQuery, operation } from '../operation.ts';
import { homePage } from '../page/home-page.ts';
import { pageScript, parsePageScript } from '../page/page-script.ts';
import { problemPage, problemsPage } from '../page/problem-page.ts';
import { signInPage } from '../page/sign-in-page.ts';
import { notFound } from '../problem.ts';
import { parseProblemCode } from '../problem-code.ts';
import { freshOf, readAs } from '../success.ts';

const html = freshOf(z.string(), 'A page for people', 'text/html');

export const readHome = operation({
  id: 'readHome',
  tag: 'Pages',
  summary: 'What this is, and where to look',
  successes: html,
  problems: [],
  query: noQuery,
  body: noBody,
  handle: async ({ config, ledger }, _nobody: null) => homePage(config, ledger),
});

export const readSignInPage = operation({
  id: 'readSignInPage',
  tag: 'Pages',
  summary: 'Sign in, and see to passkeys, sessions, API keys and members',
  successes: html,
  problems: [],
  query: noQuery,
  body: noBody,
  handle: async (_service, _nobody: null) => signInPage(),
});

export const readPageScript = operation({
  id: 'readPageScript',
  tag: 'Pages',
  summary: 'A script of /sign-in',
  successes: readAs({ 'text/javascript': z.string() }, 'The script'),
  problems: ['not-found'],
  query: noQuery,
  body: noBody,
  handle: async (_service, _nobody: null, { param, headers }) => {
    const script = parsePageScript(param('script'));
    return script === null ? notFound : pageScript(script, headers.get('if-none-match'));
  },
});

export const readProblems = operation({
  id: 'readProblems',
  tag: 'Pages',
  summary: 'Every error code, and what to do',
  successes: html,
  problems: [],
  query: noQuery,
  body: noBody,
  handle: async (_service, _nobody: null) => problemsPage(),
});

export const readProblem = operation({
  id: 'readProblem',
  tag: 'Pages',
  summary: 'One error code, and what to do',
  successes: html,
  problems: ['not-found'],
  query: noQuery,
  body: noBody,
  handle: async (_service, _nobody: null, { param }) => {
    const code = parseProblemCode(param('code'));
    return code === null ? notFound : problemPage(code);
  },
});

export const readOpenApiJson = operation({
  id: 'readOpenApiJson',
  tag: 'Pages',
  summary: 'This description, in JSON',
  successes: freshOf(z.looseObject({ openapi: z.string() }), 'OpenAPI 3.1'),
  problems: [],
  query: noQuery,
  body: noBody,
  handle: async ({ document }, _nobody: null) => freshAnswer(200, await document(), { 'Cache-Control': 'no-cache' }),
});

export const readOpenApiYaml = operation({
  id: 'readOpenApiYaml',
  tag: 'Pages',
  summary: 'This description, in YAML',
  successes: freshOf(z.string(), 'OpenAPI 3.1', 'application/yaml'),
  problems: [],
  query: noQuery,
  body: noBody,
  handle: async ({ document }, _nobody: null) => {
    const { stringify } = await import('yaml'); // wanted once in a while: not worth loading at every start
    const body = stringify(await document(), { lineWidth: 0, aliasDuplicateObjects: false });
    return { status: 200, headers: { 'Content-Type': 'application/yaml', 'Cache-Control': 'no-cache' }, body };
  },
});
