import { hash } from 'node:crypto';

/** What a route answers, before the request's own header fields are put on. */
export type Answer = {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string | Uint8Array | null;
  /** `Set-Cookie`, the one field that comes several times. */
  readonly cookies?: readonly string[];
};

/**
 * What is a user's is kept by nobody on the way, nor by a browser for whoever sits there next, or for who was removed since. A program that keeps
 * an answer itself sends its ETag, and is told whether it still holds.
 */
const KEPT_BY_NOBODY = 'no-store';

const etagOf = (tag: string): string => `"${tag}"`;

/** Whether `If-None-Match` names this ETag (RFC 9110 §13.1.2, weak comparison). */
const isKnown = (ifNoneMatch: string | null, etag: string): boolean =>
  ifNoneMatch !== null &&
  (ifNoneMatch.trim() === '*' || ifNoneMatch.split(',').some((each) => each.trim().replace(/^W\//, '') === etag));

/** Header fields of an answer that depends on its tag and nothing else. */
type Tagged = {
  readonly tag: string;
  readonly ifNoneMatch: string | null;
  readonly cacheControl?: string;
  readonly vary?: string;
};

/**
 * 200 with an ETag, or 304 when the client has it. `body` is asked for only when it is needed.
 */
export const taggedAnswer = (
  { tag, ifNoneMatch, cacheControl = KEPT_BY_NOBODY, vary }: Tagged,
  contentType: string,
  body: () => string | Uint8Array,
): Answer => {
  const etag = etagOf(tag);
  const headers = { ETag: etag, 'Cache-Control': cacheControl, ...(vary === undefined ? {} : { Vary: vary }) };
  return isKnown(ifNoneMatch, etag)
    ? { status: 304, headers, body: null }
    : { status: 200, headers: { ...headers, 'Content-Type': contentType }, body: body() };
};

/** As `taggedAnswer`, with a JSON value. */
export const jsonAnswer = (tagged: Tagged, value: unknown): Answer =>
  taggedAnswer(tagged, 'application/json', () => JSON.stringify(value));

/** For what has no head of its own, such as a list over many streams: the ETag is the hash of the body. */
export const hashedAnswer = (ifNoneMatch: string | null, value: unknown, cacheControl?: string): Answer => {
  const body = JSON.stringify(value);
  const tag = `sha256:${hash('sha256', body, 'hex')}`;
  return taggedAnswer(
    { tag, ifNoneMatch, ...(cacheControl === undefined ? {} : { cacheControl }) },
    'application/json',
    () => body,
  );
};

/** JSON that no cache keeps. */
export const freshAnswer = (status: number, value: unknown, headers: Readonly<Record<string, string>> = {}): Answer => ({
  status,
  headers: { 'Content-Type': 'application/json', 'Cache-Control': 'no-store', ...headers },
  body: JSON.stringify(value),
});
