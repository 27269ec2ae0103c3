import type { z } from 'zod';
import { parsedOrUndefined } from '../receipt/canonical.ts';
import { type Instant, parseInstant } from '../receipt/ids.ts';
import type { Result } from '../result.ts';

/** A row as `pg` gives it, before its columns are parsed. */
export type RawRow = { readonly [column: string]: unknown };

/** A row that this program did not write, or a bug in what wrote it: nothing a caller could act on. */
export class MalformedRow extends Error {
  constructor(column: string) {
    super(`the projection holds a malformed ${column}; rebuild it from the receipts`);
    this.name = 'MalformedRow';
  }
}

/** A column as its parser makes it. `column` names it in the error. Throws `MalformedRow`. */
export const stored = <T>(column: string, parse: (value: unknown) => Result<T, unknown>, value: unknown): T => {
  const parsed = parse(value);
  if (!parsed.ok) throw new MalformedRow(column);
  return parsed.value;
};

/** As `stored`, for a column that may be NULL. */
export const storedOrNull = <T>(column: string, parse: (value: unknown) => Result<T, unknown>, value: unknown): T | null =>
  value === null ? null : stored(column, parse, value);

/** A text column that is one of a few words. Throws `MalformedRow`. */
export const storedWord = <Word extends string>(column: string, words: readonly Word[], value: unknown): Word => {
  const word = words.find((candidate) => candidate === value);
  if (word === undefined) throw new MalformedRow(column);
  return word;
};

/** A whole number, 0 or more. Throws `MalformedRow`. */
export const storedCount = (column: string, value: unknown): number => {
  if (typeof value !== 'number' || !Number.isSafeInteger(value) || value < 0) throw new MalformedRow(column);
  return value;
};

/** A text column without a form of its own. Throws `MalformedRow`. */
export const storedText = (column: string, value: unknown): string => {
  if (typeof value !== 'string') throw new MalformedRow(column);
  return value;
};

/** Bytes of a digest. Throws `MalformedRow`. */
export const storedDigest = (column: string, value: unknown): Uint8Array => {
  if (!Buffer.isBuffer(value) || value.length !== 32) throw new MalformedRow(column);
  return value;
};

export const storedInstant = (column: string, value: unknown): Instant => stored(column, parseInstant, value);

export const storedInstantOrNull = (column: string, value: unknown): Instant | null => storedOrNull(column, parseInstant, value);

/** A column of type json, as the text it holds, made by `schema`. Throws `MalformedRow`. */
export const storedJson = <T>(column: string, schema: z.ZodType<T>, value: unknown): T => {
  const parsed = schema.safeParse(parsedOrUndefined(storedText(column, value)));
  if (!parsed.success) throw new MalformedRow(column);
  return parsed.data;
};
