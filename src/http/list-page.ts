import type { MalformedId } from '../receipt/ids.ts';
import { type Result, err, ok } from '../result.ts';
import { type Problem, invalid } from './problem.ts';

/** Cursors are opaque to clients: base64url of the last key of a page. They hold nothing that the page did not show. */
export const cursorOf = (key: string): string => Buffer.from(key).toString('base64url');

const badCursor = invalid({ in: 'query', pointer: '/cursor', code: 'invalid', detail: 'this is no cursor of this list' });

/** The key in a cursor, or null without one. Anything but the one spelling of a key of this list is refused. */
export const keyAfter = <Key extends string>(
  cursor: string | undefined,
  parse: (text: unknown) => Result<Key, MalformedId>,
): Result<Key | null, Problem> => {
  if (cursor === undefined) return ok(null);
  const text = Buffer.from(cursor, 'base64url').toString();
  const key = parse(text);
  return key.ok && cursorOf(text) === cursor ? ok(key.value) : err(badCursor);
};

/** `meta` of a page whose last row has this key. */
export const pageMeta = (lastKey: string | undefined, hasMore: boolean): { cursor: string | null; hasMore: boolean } => ({
  cursor: hasMore && lastKey !== undefined ? cursorOf(lastKey) : null,
  hasMore,
});

/** A page as it is answered. */
export const pageOf = <Row>(rows: readonly Row[], hasMore: boolean, keyOf: (row: Row) => string) => {
  const last = rows.at(-1);
  return { data: rows, meta: pageMeta(last === undefined ? undefined : keyOf(last), hasMore) };
};
