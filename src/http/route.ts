import { type Result, ok } from '../result.ts';
import type { Answer } from './answer.ts';
import { chosenMediaType } from './media-type.ts';
import type { DescribedNeed, Need } from './need.ts';
import type { Ask, BodyRule, Described, Operation, QuerySchema } from './operation.ts';
import { isForeignCookieUse } from './origin.ts';
import type { Problem } from './problem.ts';
import { checked, readBytesBody, readJsonBody } from './request-body.ts';
import { readQuery } from './request-query.ts';
import type { Service } from './service.ts';

export type Method = 'GET' | 'POST' | 'PUT';

/** A request as it came in, with what the router found in its path. */
export type Incoming = {
  readonly request: Request;
  readonly param: (name: string) => string;
  readonly clientAddress: string | null;
};

/** One line of the table: method, path (`:name` for members), what it needs, what it does. */
export type Route = {
  readonly method: Method;
  readonly path: string;
  readonly need: DescribedNeed;
  readonly operation: Described & { readonly query: QuerySchema<unknown>; readonly body: BodyRule<unknown> };
  readonly answer: (service: Service, incoming: Incoming) => Promise<Answer | Problem>;
};

const unauthenticated: Problem = { code: 'unauthenticated', detail: 'the request carries no live session' };
const notAcceptable = (mediaTypes: readonly string[]): Problem => ({
  code: 'not-acceptable',
  detail: `this resource comes as ${mediaTypes.join(' or ')}`,
});

/**
 * Ties an operation to its place and its need. The order is: who asks, what they can read, what they ask, whether they may, and only then the
 * operation. Input is looked at before rights where that says nothing about what exists.
 */
export const route = <Granted, Query, Body>(
  method: Method,
  path: string,
  need: Need<Granted, Query>,
  operation: Operation<Granted, Query, Body>,
): Route => {
  const mediaTypes = [...new Set(operation.successes.flatMap(({ content }) => Object.keys(content ?? {})))];
  return {
    method,
    path,
    need,
    operation,
    answer: async (service, incoming) => {
      const { headers } = incoming.request;
      const session = need.signedIn ? await service.authentication.session(headers) : null;
      if (need.signedIn && session === null) return unauthenticated;
      if (session?.via === 'cookie' && method !== 'GET' && isForeignCookieUse(headers, service.origins))
        return { code: 'origin-not-trusted', detail: 'a page of another origin sent this with a cookie' };
      const mediaType = mediaTypes.length === 0 ? '' : chosenMediaType(headers.get('accept'), mediaTypes);
      if (mediaType === null) return notAcceptable(mediaTypes);
      const ask = await askOf(operation, incoming, mediaType);
      if (!ask.ok) return ask.error;
      if (!need.signedIn) return operation.handle(service, need.grant(), ask.value);
      if (session === null) return unauthenticated;
      const granted = await need.grant(service, session, ask.value);
      return granted.ok ? operation.handle(service, granted.value, ask.value) : granted.error;
    },
  };
};

/** Parses query and body as the operation takes them. */
const askOf = async <Query, Body>(
  { query: querySchema, body: rule }: Pick<Operation<never, Query, Body>, 'query' | 'body'>,
  { request, param, clientAddress }: Incoming,
  mediaType: string,
): Promise<Result<Ask<Query, Body>, Problem>> => {
  const query = readQuery(querySchema, request.url);
  if (!query.ok) return query;
  const body = await readBody(rule, request);
  if (!body.ok) return body;
  return ok({ param, query: query.value, body: body.value, headers: request.headers, mediaType, request, clientAddress });
};

const readBody = async <Body>({ presence, schema, bytes }: BodyRule<Body>, request: Request): Promise<Result<Body, Problem>> => {
  if (presence === 'none') return checked(schema, null, 'body');
  if (bytes !== undefined) {
    const body = await readBytesBody(request, bytes);
    return body.ok ? checked(schema, body.value, 'body') : body;
  }
  const json = await readJsonBody(request);
  if (!json.ok) return json;
  return checked(schema, json.value ?? (presence === 'optional' ? {} : null), 'body');
};
