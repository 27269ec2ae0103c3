import { randomUUID } from 'node:crypto';
import pino from 'pino';
import { parseConfig } from '../../src/config.ts';
import { serve } from '../../src/service/serve.ts';

export type Reply = {
  readonly status: number;
  readonly headers: Headers;
  readonly body: Record<string, unknown>;
  readonly text: string;
};

/** The whole service, as `npm start` has it, in a directory of its own and on a free port; nobody's requests are counted unless `env` says so. */
export const startService = async (dataDir: string, env: Record<string, string> = {}) => {
  const config = parseConfig(
    { DATA_DIR: dataDir, PORT: '0', LOG_LEVEL: 'silent', PUBLIC_URL: 'http://localhost:8080', RATE_LIMITS: 'off', ...env },
    dataDir,
  );
  if (!config.ok) throw new Error(JSON.stringify(config.error));
  const serving = await serve(config.value, pino({ level: 'silent' }));
  return { ...serving, api: client(serving.url) };
};

export type Service = Awaited<ReturnType<typeof startService>>;

/** A client that speaks as one user, or as nobody. */
export const client = (url: string, token: string | null = null) => {
  const request = async (method: string, path: string, headers: Record<string, string>, body?: unknown): Promise<Reply> => {
    const response = await fetch(`${url}${path}`, {
      method,
      headers: {
        ...(token === null ? {} : { authorization: `Bearer ${token}` }),
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
        ...headers,
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    const text = await response.text();
    const isJson = (response.headers.get('content-type') ?? '').includes('json');
    return { status: response.status, headers: response.headers, text, body: isJson && text !== '' ? JSON.parse(text) : {} };
  };
  return {
    get: (path: string, headers: Record<string, string> = {}) => request('GET', path, headers),
    /** A command under a key: a new one unless given. */
    post: (path: string, body: unknown = {}, headers: Record<string, string> = {}) =>
      request('POST', path, { 'idempotency-key': randomUUID(), ...headers }, body),
    as: (other: string) => client(url, other),
  };
};

export type Client = ReturnType<typeof client>;

/** Signs a new person up and in; answers their client and their id. */
export const newcomer = async (api: Client): Promise<{ api: Client; userId: string; token: string }> => {
  const account = { email: `${randomUUID()}@pixpax.example`, password: 'correct horse battery', name: 'Collector' };
  const signedUp = await api.post('/v1/auth/sign-up/email', account);
  if (signedUp.status !== 200) throw new Error(`sign-up was answered ${signedUp.status}: ${signedUp.text}`);
  const signedIn = await api.post('/v1/auth/sign-in/email', account);
  const { token, user } = signedIn.body as { token: string; user: { id: string } };
  return { api: api.as(token), userId: user.id, token };
};

/** An account with one identity and one pixbook, made over HTTP. */
export const collectorWithBook = async (api: Client, userId: string) => {
  const account = await api.post('/v1/accounts');
  const accountId = String(account.body.accountId);
  const identity = await api.post(`/v1/accounts/${accountId}/identities`, { controller: userId });
  const identityId = String(identity.body.identityId);
  const book = await api.post('/v1/pixbooks', { accountId, identityId, collectionId: 'col_01JZDEM0000000000000000000' });
  if (book.status !== 201) throw new Error(`${account.text} ${identity.text} ${book.text}`);
  return { accountId, identityId, bookId: String(book.body.bookId), head: String(book.body.eventId) };
};
