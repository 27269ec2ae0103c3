import type { Context } from 'hono';
import type { Standing } from '../port/limiter.ts';
import { Outage } from '../port/outage.ts';
import type { Answer } from './answer.ts';
import { clientAddress } from './client-address.ts';
import { crossOriginFields } from './origin.ts';
import { type Problem, internalError, isProblem, outageProblem, problemAnswer } from './problem.ts';
import { rateLimitFields } from './rate-limit-field.ts';
import { type RequestContext, requestContextOf, withRequestContext } from './request-context.ts';
import type { Service } from './service.ts';

/** What @hono/node-server hands over beside the request; tests have none. */
export type Bindings = { readonly incoming?: { readonly socket?: { readonly remoteAddress?: string | undefined } } } | undefined;
export type HttpContext = Context<{ Bindings: NonNullable<Bindings> }>;

/**
 * What surrounds every request, known route or not: its context, its access line, its measurements, its common header fields, and the one place
 * where an exception becomes an answer. How the allowances stand that the request draws on is gathered in `standings`.
 */
export const inShell = (
  service: Service,
  pattern: string,
  answerTo: (c: HttpContext, standings: Standing[]) => Promise<Answer | Problem>,
): ((c: HttpContext) => Promise<Response>) => {
  return (c) => {
    const { raw, path } = c.req;
    const context = requestContextOf(raw.headers.get('x-request-id'), raw.headers.get('traceparent'));
    const startedMs = performance.now();
    const standings: Standing[] = [];
    service.traffic.begin();
    return withRequestContext(context, async () => {
      const outcome = await answerTo(c, standings).catch((fault: unknown) => problemOf(service, pattern, context, fault));
      const bare = isProblem(outcome) ? problemAnswer(outcome, path, context) : outcome;
      const answer = { ...bare, headers: { ...bare.headers, ...rateLimitFields(standings) } };
      const ms = performance.now() - startedMs;
      service.traffic.end({ method: raw.method, route: pattern, status: answer.status, ms }, context);
      return responseOf(answer, context, raw.headers.get('origin'), service);
    });
  };
};

/** Outages are expected and named; anything else is a bug, and what it says is for the log alone. */
const problemOf = ({ log }: Service, route: string, { requestId, traceId }: RequestContext, fault: unknown): Problem => {
  if (fault instanceof Outage) {
    const { code, dependency, message } = fault;
    log.warn({ requestId, traceId, route, code, dependency, reason: message }, 'outage');
    return outageProblem(fault);
  }
  log.error({ requestId, traceId, route, err: fault }, 'request failed');
  return internalError;
};

/** An answer with the fields that all answers have. What it says of itself goes before what all say. */
export const responseOf = (
  { status, headers, body, cookies }: Answer,
  { requestId }: RequestContext,
  origin: string | null,
  { origins, securityFields }: Pick<Service, 'origins' | 'securityFields'>,
): Response => {
  const fields: Record<string, string> = { ...securityFields, ...headers, 'X-Request-Id': requestId };
  Object.assign(fields, crossOriginFields(origin, origins));
  // Said also to who sent none: a cache must not hand that answer to a page, nor a page's to another (Fetch, CORS protocol and HTTP caches).
  fields.Vary = fields.Vary === undefined ? 'Origin' : `${fields.Vary}, Origin`;
  const content = body instanceof Uint8Array ? Buffer.from(body) : body;
  if (cookies === undefined) return new Response(content, { status, headers: fields });
  const all = new Headers(fields);
  for (const cookie of cookies) all.append('Set-Cookie', cookie);
  return new Response(content, { status, headers: all });
};

/** The address of whoever is on the other side of our own proxies, if it can be known. */
export const clientAddressOf = (c: HttpContext, trustedProxies: number): string | null => {
  const bindings: Bindings = c.env;
  return clientAddress(c.req.header('x-forwarded-for'), bindings?.incoming?.socket?.remoteAddress, trustedProxies);
};
