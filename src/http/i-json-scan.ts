/** What I-JSON (RFC 7493) and this service refuse beyond, or within, plain JSON. */
export type IJsonFaultCode =
  | 'empty'
  | 'not-utf8'
  | 'byte-order-mark'
  | 'not-json'
  | 'too-deep'
  | 'duplicate-member'
  | 'forbidden-member'
  | 'lone-surrogate'
  | 'noncharacter'
  | 'number-out-of-range';

/** `pointer` (RFC 6901) names the member at fault, or the nearest container that can be named. */
export type IJsonFault = { readonly code: IJsonFaultCode; readonly pointer: string; readonly detail: string };

/**
 * One open object or array. `member` is the name or index we are in; `names` those an object had so far: a list while it is short, for
 * most are, and then a set.
 */
type Container = { names: string[] | Set<string> | null; member: string | number };

type Scan = {
  readonly text: string;
  readonly maxDepth: number;
  at: number;
  readonly open: Container[];
  fault: IJsonFault | null;
};

/**
 * Walks over the text once and finds the first fault, or null when JSON.parse may have it. Keeps its own stack, so hostile nesting costs
 * no call stack.
 */
export const scanIJson = (text: string, maxDepth: number): IJsonFault | null => {
  const scan: Scan = { text, maxDepth, at: 0, open: [], fault: null };
  while (scanToken(scan) && finishContainers(scan) && scan.open.length > 0);
  if (scan.fault === null && scan.at < text.length) return notJson(scan, 'something follows the value');
  return scan.fault;
};

/** A scalar, or the beginning of a container up to its first value. True unless a fault was found. */
const scanToken = (scan: Scan): boolean => {
  for (;;) {
    const char = skipSpace(scan);
    if (char === OPEN_OBJECT || char === OPEN_ARRAY) {
      if (scan.open.length >= scan.maxDepth) return stop(scan, 'too-deep', `nested deeper than ${scan.maxDepth}`);
      const isObject = char === OPEN_OBJECT;
      scan.open.push({ names: isObject ? [] : null, member: isObject ? UNNAMED : 0 });
      scan.at++;
      if (skipSpace(scan) === (isObject ? CLOSE_OBJECT : CLOSE_ARRAY)) return true;
      if (isObject && !scanMember(scan)) return false;
      continue;
    }
    if (char === QUOTE) return scanString(scan) !== null;
    if (char === MINUS || isDigit(char)) return scanNumber(scan);
    return scanWord(scan);
  }
};

/** Closes what ends here, and steps over the comma to the next value of what goes on. True unless a fault was found. */
const finishContainers = (scan: Scan): boolean => {
  for (;;) {
    const char = skipSpace(scan);
    const container = scan.open.at(-1);
    if (container === undefined) return true;
    const isObject = container.names !== null;
    if (char === (isObject ? CLOSE_OBJECT : CLOSE_ARRAY)) {
      scan.at++;
      scan.open.pop();
      continue;
    }
    if (char !== COMMA) return notJson(scan, `expected , or ${isObject ? '}' : ']'}`) === null;
    scan.at++;
    if (typeof container.member === 'number') {
      container.member++;
      return true;
    }
    skipSpace(scan);
    return scanMember(scan);
  }
};

/** A member's name and its colon. */
const scanMember = (scan: Scan): boolean => {
  const container = scan.open.at(-1);
  if (scan.text.charCodeAt(scan.at) !== QUOTE) return notJson(scan, 'expected a member name') === null;
  if (container === undefined) return false;
  container.member = UNNAMED;
  const name = scanString(scan);
  if (name === null) return false;
  container.member = name;
  if (!isNew(container, name)) return stop(scan, 'duplicate-member', 'the object has this member twice');
  if (name === '__proto__' || name === 'constructor' || name === 'prototype')
    return stop(scan, 'forbidden-member', 'a member must not have this name');
  if (skipSpace(scan) !== COLON) return notJson(scan, 'expected :') === null;
  scan.at++;
  return true;
};

/** Takes the name among those the object has; false when it is there already. */
const isNew = (container: Container, name: string): boolean => {
  const { names } = container;
  if (Array.isArray(names)) {
    if (names.includes(name)) return false;
    if (names.length < SHORT_LIST) names.push(name);
    else container.names = new Set(names).add(name);
    return true;
  }
  if (names === null || names.has(name)) return false;
  names.add(name);
  return true;
};

/** A string, decoded; null when a fault was found. */
const scanString = (scan: Scan): string | null => {
  const { text } = scan;
  const start = scan.at + 1;
  let at = start;
  let plain = true;
  let suspicious = false;
  for (; ; at++) {
    const char = text.charCodeAt(at);
    if (char === QUOTE) break;
    if (char === BACKSLASH) {
      plain = false;
      const escaped = ESCAPE.exec(text.slice(at + 1, at + 6));
      if (escaped === null) return badString(scan, at, 'an unknown escape');
      at += escaped[0].length;
    } else if (char >= FIRST_SURROGATE) suspicious = true;
    else if (!(char >= 0x20)) return badString(scan, at, at < text.length ? 'a raw control character' : 'a string without end');
  }
  const raw = text.slice(start, at);
  const value = plain ? raw : (JSON.parse(`"${raw}"`) as string);
  if ((suspicious || !plain) && !isInterchangeable(scan, value)) return null;
  scan.at = at + 1;
  return value;
};

const badString = (scan: Scan, at: number, what: string): null => {
  scan.at = at;
  notJson(scan, what);
  return null;
};

/** RFC 7493 §2.1: neither surrogates nor noncharacters, escaped or not. */
const isInterchangeable = (scan: Scan, value: string): boolean => {
  if (!value.isWellFormed()) return stop(scan, 'lone-surrogate', 'a string holds half of a surrogate pair');
  if (NONCHARACTER.test(value)) return stop(scan, 'noncharacter', 'a string holds a Unicode noncharacter');
  return true;
};

/**
 * Every number must survive as the double it will be: finite, and within ±(2^53−1). Beyond that all doubles are integers, however they
 * are spelled, and RFC 8785 would write them as such; so `1e20` and `9007199254740993.0` are refused like `9007199254740993`.
 */
const scanNumber = (scan: Scan): boolean => {
  if (isSmallInteger(scan)) return true;
  NUMBER.lastIndex = scan.at;
  const literal = NUMBER.exec(scan.text)?.[0];
  if (literal === undefined) return notJson(scan, 'not a number') === null;
  if (literal.length > SURELY_SAFE_CHARS || literal.includes('e') || literal.includes('E')) {
    if (!(Math.abs(Number(literal)) <= Number.MAX_SAFE_INTEGER))
      return stop(scan, 'number-out-of-range', 'a number is beyond ±(2^53−1); send it as a string');
  }
  scan.at += literal.length;
  return true;
};

/** Steps over a plain integer that cannot be too large, the commonest number. False when it is, or may be, anything else. */
const isSmallInteger = (scan: Scan): boolean => {
  const { text, at } = scan;
  let end = at;
  while (isDigit(text.charCodeAt(end))) end++;
  const next = text.charCodeAt(end);
  const isPlain = next === COMMA || next === CLOSE_OBJECT || next === CLOSE_ARRAY;
  if (!isPlain || end === at || end - at > SURELY_SAFE_CHARS || (text.charCodeAt(at) === ZERO && end - at > 1)) return false;
  scan.at = end;
  return true;
};

const scanWord = (scan: Scan): boolean => {
  for (const word of WORDS) {
    if (scan.text.startsWith(word, scan.at)) {
      scan.at += word.length;
      return true;
    }
  }
  return notJson(scan, scan.at < scan.text.length ? 'expected a value' : 'the text ends too early') === null;
};

/** Steps over white space (RFC 8259 §2) and returns the character there; NaN at the end. */
const skipSpace = (scan: Scan): number => {
  for (;;) {
    const char = scan.text.charCodeAt(scan.at);
    if (char !== 0x20 && char !== 0x0a && char !== 0x0d && char !== 0x09) return char;
    scan.at++;
  }
};

const notJson = (scan: Scan, what: string): IJsonFault => {
  scan.fault = { code: 'not-json', pointer: pointerOf(scan), detail: `${what}, at character ${scan.at + 1}` };
  return scan.fault;
};

const stop = (scan: Scan, code: IJsonFaultCode, detail: string): false => {
  scan.fault = { code, pointer: pointerOf(scan), detail };
  return false;
};

/** At most this many characters of pointer: names come from the client, and an answer must not echo kilobytes of them. */
const POINTER_CHARS = 512;

const pointerOf = (scan: Scan): string => {
  let pointer = '';
  for (const { member } of scan.open) {
    const segment = `/${String(member).replaceAll('~', '~0').replaceAll('/', '~1')}`;
    if (member === UNNAMED || pointer.length + segment.length > POINTER_CHARS) break;
    pointer += segment;
  }
  return pointer;
};

const isDigit = (char: number): boolean => char >= 0x30 && char <= 0x39;

/** Stands for a member whose name is not read yet. No name is equal to it: it is half of a surrogate pair. */
const UNNAMED = '\ud800';
const SHORT_LIST = 16;
const QUOTE = 0x22;
const COMMA = 0x2c;
const MINUS = 0x2d;
const ZERO = 0x30;
const COLON = 0x3a;
const OPEN_ARRAY = 0x5b;
const BACKSLASH = 0x5c;
const CLOSE_ARRAY = 0x5d;
const OPEN_OBJECT = 0x7b;
const CLOSE_OBJECT = 0x7d;
const FIRST_SURROGATE = 0xd800;
const WORDS = ['true', 'false', 'null'];
const ESCAPE = /^(?:["\\/bfnrt]|u[0-9a-fA-F]{4})/;
const NUMBER = /-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?/y;
const NONCHARACTER = /\p{Noncharacter_Code_Point}/u;
/** 15 digits cannot reach 2^53. */
const SURELY_SAFE_CHARS = 15;
