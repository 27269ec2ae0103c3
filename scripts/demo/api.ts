import { randomUUID } from 'node:crypto';

/** An answer of the service. `body` is empty for what is not JSON. */
export type Reply = { readonly status: number; readonly body: Record<string, unknown>; readonly text: string };

/** A command the service refused, or something that is not running. */
export class DemoStopped extends Error {}

const timeoutMs = 30_000;

/** A client of the service that speaks as one user, or as nobody. */
export const clientOf = (url: string, token: string | null = null) => {
  const ask = async (method: string, path: string, body?: Buffer | string, headers: Record<string, string> = {}) => {
    const authorization = token === null ? {} : { Authorization: `Bearer ${token}` };
    const request = { method, headers: { ...authorization, ...headers }, signal: AbortSignal.timeout(timeoutMs) };
    const response = await fetch(
      `${url}${path}`,
      body === undefined ? request : { ...request, body: new Uint8Array(Buffer.from(body)) },
    );
    const text = await response.text();
    const isJson = (response.headers.get('content-type') ?? '').includes('json');
    return { status: response.status, text, body: isJson && text !== '' ? (JSON.parse(text) as Record<string, unknown>) : {} };
  };
  const post = (path: string, body: unknown): Promise<Reply> =>
    ask('POST', path, JSON.stringify(body), { 'Content-Type': 'application/json', 'Idempotency-Key': randomUUID() });
  return {
    /** A read, or a command: throws `DemoStopped` when it is refused. */
    get: async (path: string): Promise<Record<string, unknown>> => granted(path, await ask('GET', path)),
    do: async (path: string, body: unknown = {}): Promise<Record<string, unknown>> => granted(path, await post(path, body)),
    put: async (path: string, body: Buffer | string, type: string): Promise<void> => {
      granted(path, await ask('PUT', path, body, { 'Content-Type': type }));
    },
    /** A command that should be refused: what was answered. */
    attempt: post,
    as: (other: string) => clientOf(url, other),
  };
};

export type Client = ReturnType<typeof clientOf>;

const granted = (path: string, { status, body, text }: Reply): Record<string, unknown> => {
  if (status < 200 || status > 299) throw new DemoStopped(`${path} answered ${status}: ${text}`);
  return body;
};

/** A member of a body, which must be text. */
export const textOf = (body: Record<string, unknown>, member: string): string => {
  const value = body[member];
  if (typeof value !== 'string') throw new DemoStopped(`an answer without ${member}: ${JSON.stringify(body)}`);
  return value;
};

/** The `data` of a list. */
export const rowsOf = (body: Record<string, unknown>): readonly Record<string, unknown>[] =>
  Array.isArray(body.data) ? (body.data as Record<string, unknown>[]) : [];
