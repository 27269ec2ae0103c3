import { AsyncLocalStorage } from 'node:async_hooks';
import { Kysely } from 'kysely';
import type pg from 'pg';
import type { Outage } from '../../port/outage.ts';
import { dialectOn } from './auth-database.ts';
import { CLIENT_ADDRESS_HEADER } from './better-auth-options.ts';
import { isValueFault, outageOf } from './postgres-fault.ts';
import { carriesApiKey } from './session-token.ts';
import { withSignedTokens } from './signed-answer.ts';

/**
 * All that is served; the rest of better-auth (social sign-in, mails, deletion, its HTML error page, its API keys, and the lists of sessions that
 * hold the tokens of other sessions) is not there.
 */
const SERVED = new Set([
  '/v1/auth/sign-up/email',
  '/v1/auth/sign-in/email',
  '/v1/auth/sign-out',
  '/v1/auth/get-session',
  '/v1/auth/revoke-sessions',
  '/v1/auth/revoke-other-sessions',
  '/v1/auth/change-password',
  '/v1/auth/update-user',
  '/v1/auth/passkey/generate-register-options',
  '/v1/auth/passkey/verify-registration',
  '/v1/auth/passkey/generate-authenticate-options',
  '/v1/auth/passkey/verify-authentication',
  '/v1/auth/passkey/list-user-passkeys',
  '/v1/auth/passkey/update-passkey',
  '/v1/auth/passkey/delete-passkey',
]);

/** The outage that a request met, whatever better-auth made of it. */
type Met = { outage: Outage | null };
const current = new AsyncLocalStorage<Met>();

const note = (error: unknown): void => {
  const request = current.getStore();
  if (request !== undefined && !isValueFault(error)) request.outage ??= outageOf(error);
};

/** Queries whose failures are noted on the request that made them. Destroying it is not needed: the pool is its caller's. */
export const kyselyNotingOutages = (pool: pg.Pool): Kysely<unknown> => {
  const connect = async (): Promise<pg.PoolClient> => {
    try {
      return await pool.connect();
    } catch (error) {
      note(error);
      throw error;
    }
  };
  return new Kysely<unknown>({
    dialect: dialectOn(connect),
    log: (event) => (event.level === 'error' ? note(event.error) : undefined),
  });
};

/**
 * Serves one request. better-auth turns a failed statement into many things, a sign-out that "succeeded" among them; here it is an `Outage`,
 * and what was asked may or may not have happened. Other errors are bugs: thrown with their secrets taken out.
 */
export const serveAuth =
  (handler: (request: Request) => Promise<Response>, redact: (text: string) => string) =>
  (request: Request, clientAddress: string | null = null): Promise<Response> => {
    const met: Met = { outage: null };
    return current.run(met, async () => {
      if (!SERVED.has(new URL(request.url).pathname)) return new Response(null, { status: 404 });
      const answer = await handler(await readdressed(request, clientAddress)).catch((error: unknown) => {
        throw met.outage ?? bugOf(error, redact);
      });
      if (met.outage !== null) throw met.outage;
      return finished(await withSignedTokens(answer));
    });
  };

/** The request as better-auth should see it: with the client's address, and as what it is when a program sent it. */
const readdressed = async (request: Request, clientAddress: string | null): Promise<Request> => {
  const headers = new Headers(request.headers);
  headers.delete(CLIENT_ADDRESS_HEADER);
  if (clientAddress !== null) headers.set(CLIENT_ADDRESS_HEADER, clientAddress);
  // A key is no session, and whoever sends one does not act by the session of a cookie that comes along.
  if (carriesApiKey(headers)) headers.delete('cookie');
  // Node's fetch sends this one alone, and better-auth takes it for a browser that hides its origin. Browsers send both.
  if (!headers.has('sec-fetch-site')) headers.delete('sec-fetch-mode');
  if (request.method !== 'POST' || headers.has('content-type')) return new Request(request, { headers });
  // A POST of nothing, such as a sign-out by curl, reaches us with an empty stream, whose type better-auth asks for.
  const body = await request.arrayBuffer();
  return new Request(request.url, { method: 'POST', headers, body: body.byteLength === 0 ? null : body });
};

/** Answers hold tokens, so no cache keeps them; better-auth's own name for `Retry-After` is understood by nobody. */
const finished = (answer: Response): Response => {
  answer.headers.set('cache-control', 'no-store');
  const seconds = answer.headers.get('x-retry-after');
  if (seconds !== null) answer.headers.set('retry-after', seconds);
  return answer;
};

const bugOf = (error: unknown, redact: (text: string) => string): Error => {
  if (isValueFault(error)) return new Error('sign-in: Postgres refused a value');
  const bug = new Error(redact(error instanceof Error ? `sign-in: ${error.name}: ${error.message}` : 'sign-in failed'));
  if (error instanceof Error && error.stack !== undefined) bug.stack = redact(error.stack);
  return bug;
};
