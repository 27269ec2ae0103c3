import type { z } from 'zod';
import { routes } from '../src/http/app.ts';
import type { Success } from '../src/http/operation.ts';
import { type ProblemCode, problemKinds } from '../src/http/problem-code.ts';
import { isLimited, problemsOf } from '../src/http/problem-spec.ts';
import { problemSchema } from '../src/http/resource-schema.ts';
import type { Route } from '../src/http/route.ts';

/** Codes of what no route answers: the router does. */
const OFF_ROUTE: readonly ProblemCode[] = ['not-found', 'method-not-allowed'];

/** Where a 2xx comes from a system whose answers are not described here. */
const isForeign = ({ path }: Route): boolean => path.startsWith('/v1/auth/');

const routeOf = (method: string, path: string): Route | undefined =>
  routes.find((route) => {
    const pattern = route.path
      .replaceAll('.', '[.]')
      .replaceAll(/:[A-Za-z]+/g, '[^/]+')
      .replace('*', '.*');
    return route.method === (method === 'HEAD' ? 'GET' : method) && new RegExp(`^${pattern}$`).test(path);
  });

/**
 * What an answer has that the API description does not say it may have, one sentence each; none when the two agree. The description is
 * generated from the very schemas that are used here.
 */
export const departuresOf = async (method: string, path: string, answer: Response): Promise<readonly string[]> => {
  const route = routeOf(method, new URL(path, 'http://localhost').pathname);
  const said = `${method} ${path} answered ${answer.status}`;
  if (answer.headers.get('x-request-id') === null) return [`${said} without X-Request-Id`];
  if (answer.headers.has('ratelimit') && (route === undefined || !isLimited(route.operation)))
    return [`${said} with RateLimit, which is not described`];
  if (method === 'OPTIONS') return answer.status === 204 ? [] : problemDepartures(said, OFF_ROUTE, answer);
  if (answer.status >= 400) return problemDepartures(said, route === undefined ? OFF_ROUTE : problemsOf(route), answer, method);
  if (route === undefined) return [`${said}, but there is no such route`];
  if (isForeign(route)) return [];
  const success = route.operation.successes.find(({ status }) => status === answer.status);
  return success === undefined ? [`${said}, which is not described`] : successDepartures(said, success, answer, method);
};

const mediaTypeOf = (answer: Response): string => answer.headers.get('content-type')?.split(';')[0]?.trim() ?? '';

const problemDepartures = async (
  said: string,
  codes: readonly ProblemCode[],
  answer: Response,
  method = 'GET',
): Promise<string[]> => {
  if (mediaTypeOf(answer) !== 'application/problem+json') return [`${said} as ${mediaTypeOf(answer)}, not as a problem`];
  if (method === 'HEAD') return [];
  const body = problemSchema.safeParse(await answer.clone().json());
  if (!body.success) return [`${said} with a problem that is none: ${body.error.message}`];
  const { code, status } = body.data;
  const kind = problemKinds[code];
  return [
    ...(codes.includes(code) ? [] : [`${said} with ${code}, which is not described`]),
    ...(status === answer.status && kind.status === status ? [] : [`${said} with ${code}, which is ${kind.status}`]),
    ...((kind.retryAfterSeconds === undefined) === (answer.headers.get('retry-after') === null)
      ? []
      : [`${said} with ${code}: Retry-After is missing or out of place`]),
  ];
};

const successDepartures = async (
  said: string,
  { content = {}, fields = [] }: Success,
  answer: Response,
  method: string,
): Promise<string[]> => {
  const missing = fields
    .filter((field) => field !== 'Idempotency-Replayed' && field !== 'Vary' && !answer.headers.has(field))
    .map((field) => `${said} without ${field}`);
  const undescribed = ['ETag', 'Location', 'Idempotency-Replayed']
    .filter((field) => answer.headers.has(field) && !fields.some((known) => known === field))
    .map((field) => `${said} with ${field}, which is not described`);
  if (method === 'HEAD') return [...missing, ...undescribed];
  const text = await answer.clone().text();
  const mediaTypes = Object.keys(content);
  if (mediaTypes.length === 0) return [...missing, ...undescribed, ...(text === '' ? [] : [`${said} with a body`])];
  const schema: z.ZodType | undefined = content[mediaTypeOf(answer)];
  if (schema === undefined) return [`${said} as ${mediaTypeOf(answer)}, which is not described`];
  const value: unknown = mediaTypeOf(answer) === 'application/json' ? JSON.parse(text) : text;
  const body = schema.safeParse(value);
  return [
    ...missing,
    ...undescribed,
    ...(body.success ? [] : [`${said} with a body that is not as described: ${body.error.message}`]),
  ];
};
