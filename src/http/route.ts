import { permissionOf } from '../access/permission.ts';
import type { Session } from '../port/authentication.ts';
import type { Standing } from '../port/limiter.ts';
import { type Result, ok } from '../result.ts';
import type { Answer } from './answer.ts';
import { audited } from './audited.ts';
import { drawFor } from './draw.ts';
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
  /** How the allowances stand that the request has drawn on. */
  readonly standings: Standing[];
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
 * operation. Input is looked at before rights where that says nothing about what exists. Each allowance is drawn on as soon as it is known
 * whose it is: the address's before anything is looked up, the user's before the body is read, the account's last. What operators do is
 * written down before it is done, once it is within the user's allowance.
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
      const draw = drawFor(service, permissionOf(operation.id)?.limit ?? 'public', incoming.standings);
      const flood = await draw.address(incoming.clientAddress);
      if (flood !== null) return flood;
      const passed = need.signedIn ? (need.pass?.(service, headers) ?? null) : null;
      const session = need.signedIn && passed === null ? await service.authentication.session(headers) : null;
      if (need.signedIn && passed === null && session === null) return unauthenticated;
      const eager = session === null ? null : await draw.user(session.userId);
      if (eager !== null) return eager;
      const answerTo = async (): Promise<Answer | Problem> => {
        const barred = session === null ? null : barredUse(operation.id, method, session, headers, service);
        if (barred !== null) return barred;
        const mediaType = mediaTypes.length === 0 ? '' : chosenMediaType(headers.get('accept'), mediaTypes);
        if (mediaType === null) return notAcceptable(mediaTypes);
        const ask = await askOf(operation, incoming, mediaType);
        if (!ask.ok) return ask.error;
        if (!need.signedIn) return operation.handle(service, need.grant(), ask.value);
        if (passed !== null) return operation.handle(service, passed, ask.value);
        if (session === null) return unauthenticated;
        const granted = await need.grant(service, session, ask.value);
        if (!granted.ok) return granted.error;
        const named = await operation.accountOf?.(service, ask.value.body);
        const accountIds = named == null ? (need.accountsOf?.(granted.value) ?? []) : [named];
        const spent = await draw.account(session.userId, accountIds);
        return spent ?? operation.handle(service, granted.value, ask.value);
      };
      if (need.isAudited !== true || session === null) return answerTo();
      return audited(service, { session, operation: operation.id, param: incoming.param }, answerTo);
    },
  };
};

/** Why this session, or this API key, may not be used like this, whatever its user may do. */
const barredUse = (
  operationId: string,
  method: Method,
  session: Session,
  headers: Headers,
  { origins }: Service,
): Problem | null => {
  const isForeign = session.via === 'cookie' && method !== 'GET' && isForeignCookieUse(headers, origins);
  if (isForeign) return { code: 'origin-not-trusted', detail: 'a page of another origin sent this with a cookie' };
  return barredKey(operationId, session);
};

/** Why an API key may not be used for an operation, whatever its user may do. It is said before anything is looked up. */
const barredKey = (operationId: string, { scopes }: Session): Problem | null => {
  if (scopes === null) return null;
  const scope = permissionOf(operationId)?.scope ?? null;
  if (scope === null) return { code: 'person-required', detail: 'this is for a person who is signed in, not for an API key' };
  return scopes.has(scope) ? null : { code: 'scope-missing', detail: `the API key lacks the scope ${scope}` };
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
