import type { SqlType } from '../../src/adapter/postgres/columns.ts';
import type { Row, Value } from '../../src/projection/rows.ts';

/** A column as COPY takes it. */
export type CopyColumn = { readonly name: string; readonly type: SqlType };

/** Bytes in the making: they grow by doubling. */
export type CopyBytes = { bytes: Buffer; length: number };

/** What COPY … (FORMAT binary) begins and ends with: a signature, flags, no header extension; and -1 instead of a number of columns. */
export const COPY_HEADER = Buffer.from('PGCOPY\n\xff\r\n\0\0\0\0\0\0\0\0\0', 'latin1');
export const COPY_TRAILER = Buffer.from([0xff, 0xff]);

/**
 * Adds one row as COPY … FROM STDIN takes it in its binary format (PostgreSQL manual, COPY, "Binary Format"): the number of columns, and of each its
 * length and its value as the type's receive function reads it. Postgres reads it with half the work that text costs, and nothing needs escaping.
 */
export const addCopyRow = (into: CopyBytes, columns: readonly CopyColumn[], row: Row): void => {
  reserve(into, 2);
  into.length = into.bytes.writeInt16BE(columns.length, into.length);
  for (const { name, type } of columns) addValue(into, type, row[name] ?? null);
};

const reserve = (into: CopyBytes, more: number): void => {
  if (into.bytes.length - into.length >= more) return;
  const grown = Buffer.allocUnsafe(Math.max(2 * into.bytes.length, into.length + more));
  into.bytes.copy(grown, 0, 0, into.length);
  into.bytes = grown;
};

const LENGTH_BYTES = 4;
/** A character of UTF-16 has at most this many bytes in UTF-8. */
const BYTES_PER_CHAR = 3;

const addValue = (into: CopyBytes, type: SqlType, value: Value): void => {
  if (value === null) {
    reserve(into, LENGTH_BYTES);
    into.length = into.bytes.writeInt32BE(-1, into.length);
  } else if (typeof value === 'number') addNumber(into, type, value);
  else if (typeof value !== 'string') {
    reserve(into, LENGTH_BYTES + value.length);
    into.length = into.bytes.writeInt32BE(value.length, into.length);
    into.length += value.copy(into.bytes, into.length);
  } else if (type === 'timestamptz') addInstant(into, value);
  else {
    reserve(into, LENGTH_BYTES + BYTES_PER_CHAR * value.length);
    const written = into.bytes.write(value, into.length + LENGTH_BYTES);
    into.bytes.writeInt32BE(written, into.length);
    into.length += LENGTH_BYTES + written;
  }
};

const addNumber = (into: CopyBytes, type: SqlType, value: number): void => {
  reserve(into, LENGTH_BYTES + 8);
  if (type === 'bigint') addInt64(into, value);
  else if (type === 'integer') {
    into.length = into.bytes.writeInt32BE(4, into.length);
    into.length = into.bytes.writeInt32BE(value, into.length);
  } else throw new TypeError(`a number for a column of type ${type}`);
};

/** Postgres counts from 2000, in microseconds. */
const POSTGRES_EPOCH_MS = Date.UTC(2000, 0, 1);

const addInstant = (into: CopyBytes, instant: string): void => {
  reserve(into, LENGTH_BYTES + 8);
  addInt64(into, (Date.parse(instant) - POSTGRES_EPOCH_MS) * 1_000);
};

/** Two halves: numbers here are safe integers, and a BigInt takes longer to make than the row. Throws RangeError for others. */
const addInt64 = (into: CopyBytes, value: number): void => {
  if (!Number.isSafeInteger(value)) throw new RangeError(`${value} is not a whole number`);
  const high = Math.floor(value / 2 ** 32);
  into.length = into.bytes.writeInt32BE(8, into.length);
  into.length = into.bytes.writeInt32BE(high, into.length);
  into.length = into.bytes.writeUInt32BE(value - high * 2 ** 32, into.length);
};
