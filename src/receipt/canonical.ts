import canonicalize from 'canonicalize';
import { limits } from '../limits.ts';
import { type Result, err, ok } from '../result.ts';
import type { Json } from './json.ts';

const encoder = new TextEncoder();
const strictDecoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/**
 * RFC 8785 canonical JSON as text. Throws TypeError for what has no canonical form (lone surrogates, NaN, infinities): such values
 * are refused at the edges, so meeting one here is a bug.
 */
export const canonicalText = (value: Json): string => {
  const text = canonicalize(value);
  if (text === undefined) throw new TypeError('a value without a canonical form');
  return text;
};

/** RFC 8785 canonical JSON as UTF-8 bytes, without BOM or trailing newline. Throws as `canonicalText`. */
export const canonicalBytes = (value: Json): Uint8Array => encoder.encode(canonicalText(value));

export type NotCanonical = { readonly code: 'not-utf8' | 'too-deep' | 'not-json' | 'not-canonical'; readonly detail: string };

/** Parses bytes that must be exactly JCS(parse(bytes)): fatal UTF-8, no BOM, no other spelling of the same value. */
export const parseCanonical = (bytes: Uint8Array): Result<{ text: string; value: Json }, NotCanonical> => {
  let text: string;
  try {
    text = strictDecoder.decode(bytes);
  } catch {
    return err({ code: 'not-utf8', detail: 'the bytes are not UTF-8' });
  }
  if (nesting(text) > limits.jsonDepth) return err({ code: 'too-deep', detail: `nested deeper than ${limits.jsonDepth}` });
  let value: Json;
  try {
    value = JSON.parse(text) as Json;
  } catch {
    return err({ code: 'not-json', detail: 'the text is not JSON' });
  }
  return isCanonical(text, value)
    ? ok({ text, value })
    : err({ code: 'not-canonical', detail: 'the bytes are not the RFC 8785 form of their value' });
};

/**
 * Whether `text` is JCS(`value`), where `value` = JSON.parse(`text`). RFC 8785 takes its spelling of strings and numbers from
 * JSON.stringify and adds the order of members, so where the native round trip agrees and the members are in order, the library's
 * answer is known; anything else is decided by the library. (Integer-like member names sort differently in JavaScript objects and
 * land there too.)
 */
const isCanonical = (text: string, value: Json): boolean => {
  if (!/\\ud[89a-f]/.test(text) && JSON.stringify(value) === text && membersInOrder(value)) return true;
  try {
    return canonicalize(value) === text;
  } catch {
    return false;
  }
};

const membersInOrder = (value: Json): boolean => {
  if (typeof value !== 'object' || value === null) return true;
  if (Array.isArray(value)) return value.every(membersInOrder);
  let previous: string | undefined;
  for (const [member, inner] of Object.entries(value)) {
    if (previous !== undefined && !(previous < member)) return false;
    if (!membersInOrder(inner)) return false;
    previous = member;
  }
  return true;
};

/** Depth of nested arrays and objects, found without recursion so that hostile bytes cannot exhaust the stack. */
const nesting = (text: string): number => {
  let depth = 0;
  let deepest = 0;
  let inString = false;
  for (let i = 0; i < text.length; i++) {
    const char = text.charCodeAt(i);
    if (inString) {
      if (char === 0x5c) i++;
      else if (char === 0x22) inString = false;
    } else if (char === 0x22) inString = true;
    else if (char === 0x7b || char === 0x5b) deepest = Math.max(deepest, ++depth);
    else if (char === 0x7d || char === 0x5d) depth--;
  }
  return deepest;
};
