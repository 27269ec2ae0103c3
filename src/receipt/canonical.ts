import canonicalize from 'canonicalize';
import { limits } from '../limits.ts';
import { type Result, err, ok } from '../result.ts';
import type { Json, JsonObject } from './json.ts';

const encoder = new TextEncoder();
const strictDecoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/**
 * RFC 8785 canonical JSON as text. Throws TypeError for what has no canonical form (lone surrogates, NaN, infinities): such values
 * are refused at the edges, so meeting one here is a bug.
 */
export const canonicalText = (value: Json): string => {
  if (isPlain(value, limits.jsonDepth)) {
    const plain = JSON.stringify(value);
    if (!plain.includes('\\ud')) return plain;
  }
  const text = canonicalize(value);
  if (text === undefined) throw new TypeError('a value without a canonical form');
  return text;
};

/** RFC 8785 canonical JSON as UTF-8 bytes, without BOM or trailing newline. Throws as `canonicalText`. */
export const canonicalBytes = (value: Json): Uint8Array => encoder.encode(canonicalText(value));

export type NotCanonical = { readonly code: 'not-utf8' | 'too-deep' | 'not-json' | 'not-canonical'; readonly detail: string };

/** Parses bytes that must be exactly JCS(parse(bytes)): fatal UTF-8, no BOM, no other spelling of the same value. */
export const parseCanonical = (bytes: Uint8Array): Result<{ text: string; value: Json }, NotCanonical> => {
  const text = decodedOrNull(bytes);
  if (text === null) return err({ code: 'not-utf8', detail: 'the bytes are not UTF-8' });
  const value = parsedOrUndefined(text);
  return value !== undefined && plainText(value, text) === text ? ok({ text, value }) : weighed(text);
};

/** Fatal UTF-8; a BOM stays in the text, where no JSON has it. Null for anything else. */
export const decodedOrNull = (bytes: Uint8Array): string | null => {
  try {
    return strictDecoder.decode(bytes);
  } catch {
    return null;
  }
};

/** As `parseCanonical`, of text, at leisure: for what is not plainly canonical, which is nearly never a receipt. */
export const weighed = (text: string): Result<{ text: string; value: Json }, NotCanonical> => {
  if (nesting(text) > limits.jsonDepth) return err({ code: 'too-deep', detail: `nested deeper than ${limits.jsonDepth}` });
  const value = parsedOrUndefined(text);
  if (value === undefined) return err({ code: 'not-json', detail: 'the text is not JSON' });
  return isCanonical(text, value)
    ? ok({ text, value })
    : err({ code: 'not-canonical', detail: 'the bytes are not the RFC 8785 form of their value' });
};

/** JSON.parse, undefined for no JSON. V8 parses without recursion, so depth is safe to judge afterwards. */
export const parsedOrUndefined = (text: string): Json | undefined => {
  try {
    return JSON.parse(text) as Json;
  } catch {
    return undefined;
  }
};

/**
 * JCS(`value`) where that is plain to see, null where it is not; `text` is what `value` was parsed from, or part of. RFC 8785 takes its
 * spelling of strings and numbers from JSON.stringify and adds the order of members, so where the members are in order JSON.stringify is
 * right. (Lone surrogates, integer-like member names and more levels than `depth` are left to `parseCanonical`.)
 */
export const plainText = (value: Json, text: string, depth: number = limits.jsonDepth): string | null =>
  !text.includes('\\ud') && membersInOrder(value, depth) ? JSON.stringify(value) : null;

const isCanonical = (text: string, value: Json): boolean => {
  try {
    return canonicalize(value) === text;
  } catch {
    return false;
  }
};

/**
 * Whether JSON.stringify spells a value as RFC 8785 does, lone surrogates aside: members in order, finite numbers, nothing but JSON.
 */
const isPlain = (value: Json | undefined, depth: number): boolean => {
  switch (typeof value) {
    case 'string':
    case 'boolean':
      return true;
    case 'number':
      return Number.isFinite(value);
    case 'object':
      if (value === null) return true;
      if (depth === 0 || 'toJSON' in value) return false;
      if (Array.isArray(value)) return value.every((item: Json) => isPlain(item, depth - 1));
      return Object.getPrototypeOf(value) === Object.prototype && hasPlainMembers(value as JsonObject, depth - 1);
    default:
      return false;
  }
};

const hasPlainMembers = (object: JsonObject, depth: number): boolean => {
  let previous: string | undefined;
  for (const member of Object.keys(object)) {
    if (previous !== undefined && !(previous < member)) return false;
    if (!isPlain(object[member], depth)) return false;
    previous = member;
  }
  return true;
};

/**
 * The same value with the members of every object in UTF-16 order, so that spelling it is cheap from here on. (JavaScript keeps names that
 * look like numbers in an order of their own; spelling such a value stays right, and slower.)
 */
export const inCanonicalOrder = <T extends Json>(value: T): T => ordered(value) as T;

const ordered = (value: Json): Json => {
  if (typeof value !== 'object' || value === null) return value;
  if (Array.isArray(value)) return value.map(ordered);
  const members = value as JsonObject;
  const sorted: { [member: string]: Json } = {};
  for (const member of Object.keys(members).sort()) sorted[member] = ordered(members[member] ?? null);
  return sorted;
};

/** Whether the members of every object are in UTF-16 order, with at most `depth` levels of arrays and objects. */
const membersInOrder = (value: Json, depth: number): boolean => {
  if (typeof value !== 'object' || value === null) return true;
  if (depth === 0) return false;
  if (Array.isArray(value)) return value.every((item: Json) => membersInOrder(item, depth - 1));
  let previous: string | undefined;
  const members = value as JsonObject;
  for (const member of Object.keys(members)) {
    if (previous !== undefined && !(previous < member)) return false;
    const inner = members[member];
    if (typeof inner === 'object' && !membersInOrder(inner, depth - 1)) return false;
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
