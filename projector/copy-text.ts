import type { Row, Value } from '../src/projection/rows.ts';

/**
 * One row as COPY … FROM STDIN takes it in its text format: columns in the order given, separated by tabs, ended by a newline (PostgreSQL
 * manual, COPY, "Text Format").
 */
export const copyLine = (columns: readonly string[], row: Row): string => {
  let line = '';
  for (const column of columns) line += (line === '' ? '' : '\t') + copyValue(row[column] ?? null);
  return `${line}\n`;
};

const copyValue = (value: Value): string => {
  if (value === null) return '\\N';
  if (typeof value === 'number') return String(value);
  if (typeof value === 'string') return SPECIAL.test(value) ? value.replaceAll(EVERY_SPECIAL, escaped) : value;
  return `\\\\x${value.toString('hex')}`;
};

const SPECIAL = /[\\\b\f\n\r\t\v]/;
const EVERY_SPECIAL = /[\\\b\f\n\r\t\v]/g;
const ESCAPES: { readonly [char: string]: string } = {
  '\\': '\\\\',
  '\b': '\\b',
  '\f': '\\f',
  '\n': '\\n',
  '\r': '\\r',
  '\t': '\\t',
  '\v': '\\v',
};

const escaped = (char: string): string => ESCAPES[char] ?? char;
