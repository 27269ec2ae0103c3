import { isUtf8 } from 'node:buffer';
import { limits } from '../limits.ts';
import type { Json } from '../receipt/json.ts';
import { type Result, err, ok } from '../result.ts';
import { type IJsonFault, type IJsonFaultCode, scanIJson } from './i-json-scan.ts';

/**
 * Reads a request body strictly as I-JSON (RFC 7493; receipt.md §1, Input). `JSON.parse` makes the value; a scanner finds first what
 * `JSON.parse` would let through: duplicate members (however their names are spelled), `__proto__`, `constructor` and `prototype`, lone
 * surrogates and noncharacters, numbers that are not finite or beyond ±(2^53−1), nesting over `maxDepth`. Never throws.
 *
 * Numbers with more digits than a double holds are rounded to the nearest double, as RFC 8785 will spell them.
 */
export const parseIJson = (bytes: Uint8Array, maxDepth: number = limits.jsonDepth): Result<Json, IJsonFault> => {
  if (bytes.length === 0) return refuse('empty', 'there is no JSON');
  if (bytes[0] === 0xef && bytes[1] === 0xbb && bytes[2] === 0xbf)
    return refuse('byte-order-mark', 'the text begins with a byte order mark');
  if (!isUtf8(bytes)) return refuse('not-utf8', 'the text is not UTF-8');
  const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString();
  const fault = scanIJson(text, maxDepth);
  if (fault !== null) return err(text.trim() === '' ? { code: 'empty', pointer: '', detail: 'there is no JSON' } : fault);
  try {
    return ok(JSON.parse(text) as Json);
  } catch {
    return refuse('not-json', 'the text is not JSON'); // the scanner takes nothing that JSON.parse refuses; a test holds them together
  }
};

const refuse = (code: IJsonFaultCode, detail: string): Result<never, IJsonFault> => err({ code, pointer: '', detail });
