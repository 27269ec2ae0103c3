import { z } from 'zod';
import { type Result, ok } from '../../result.ts';
import type { Answer } from '../answer.ts';
import { type Ask, noBody, operation } from '../operation.ts';
import { type Problem, notFound } from '../problem.ts';
import type { ProblemCode } from '../problem-code.ts';
import { readBytes } from '../request-body.ts';
import type { Service } from '../service.ts';

/** What sign-in is answered with; better-auth knows more than is worth saying here. */
const codeOf: { readonly [status: number]: ProblemCode } = {
  400: 'invalid-request',
  401: 'sign-in-refused',
  403: 'origin-not-trusted',
  404: 'not-found',
  413: 'body-too-large',
  415: 'unsupported-media-type',
  422: 'sign-up-refused',
  429: 'rate-limited',
};

/** Where the sign-in system's own code says more than its status does. */
const codeOfReason: { readonly [reason: string]: ProblemCode } = { SESSION_NOT_FRESH: 'session-not-fresh' };

/** Fields that are set here, or that belong to the connection. */
const OURS = new Set(['set-cookie', 'cache-control', 'vary', 'content-length', 'transfer-encoding', 'connection', 'keep-alive']);

/**
 * Everything below /v1/auth is the sign-in system's. Its answers pass as they are, except that an error becomes a problem like every other, with its
 * own code as `reason` and its own `message` beside `detail`, where its client library looks.
 */
const passOn = async (service: Service, ask: Ask<unknown, null>): Promise<Answer | Problem> => {
  const request = await bounded(ask.request);
  if (!request.ok) return request.error;
  const response = await service.authentication.handle(request.value, ask.clientAddress);
  if (response.status >= 400) return problemIn(response);
  const headers: Record<string, string> = { 'Cache-Control': 'no-store' };
  for (const [name, value] of response.headers) if (!OURS.has(name)) headers[name] = value;
  const text = await response.text();
  return { status: response.status, headers, body: text === '' ? null : text, cookies: response.headers.getSetCookie() };
};

/** The request with its body read to the end, within the limit that holds for every body. */
const bounded = async (request: Request): Promise<Result<Request, Problem>> => {
  if (request.method === 'GET') return ok(request);
  const body = await readBytes(request);
  if (!body.ok) return body;
  const headers = new Headers(request.headers);
  headers.delete('transfer-encoding');
  return ok(new Request(request.url, { method: request.method, headers, body: body.value }));
};

const errorBody = z.object({ message: z.string().optional(), code: z.string().optional() });

const problemIn = async (response: Response): Promise<Problem> => {
  const said = errorBody.safeParse(await response.json().catch(() => null));
  const { message, code: reason } = said.success ? said.data : {};
  const ofStatus = codeOf[response.status] ?? (response.status < 500 ? 'invalid-request' : 'internal-error');
  const code = codeOfReason[reason ?? ''] ?? ofStatus;
  if (code === 'not-found') return notFound;
  const retryAfter = response.headers.get('retry-after');
  return {
    code,
    detail: message ?? 'the sign-in system refused this',
    more: { reason, message },
    ...(retryAfter === null ? {} : { headers: { 'Retry-After': retryAfter } }),
  };
};

const described = {
  tag: 'Sign-in',
  successes: [],
  problems: [...Object.values(codeOf), ...Object.values(codeOfReason), 'postgres-unavailable', 'deadline-exceeded'],
  query: z.record(z.string(), z.string()),
  body: noBody,
} as const;

export const signInPost = operation({
  ...described,
  id: 'signInPost',
  summary: 'Sign up, sign in, sign out, passkeys',
  handle: async (service, _nobody: null, ask) => passOn(service, ask),
});

export const signInGet = operation({
  ...described,
  id: 'signInGet',
  summary: 'The session, passkeys',
  handle: async (service, _nobody: null, ask) => passOn(service, ask),
});
