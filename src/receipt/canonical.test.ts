import canonicalize from 'canonicalize';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { canonicalBytes, canonicalText, parseCanonical } from './canonical.ts';
import type { Json } from './json.ts';

const json = fc.jsonValue({ maxDepth: 6 }) as fc.Arbitrary<Json>;
const wellFormed = json.filter((value) => JSON.stringify(value).isWellFormed() && !/\\ud[89a-f]/.test(JSON.stringify(value)));
const bytesOf = (text: string) => Buffer.from(text, 'utf8');

describe('canonical JSON', () => {
  it('reads back what it wrote, and only that', () => {
    fc.assert(
      fc.property(wellFormed, (value) => {
        const parsed = parseCanonical(canonicalBytes(value));
        return parsed.ok && canonicalText(parsed.value.value) === canonicalText(value);
      }),
    );
  });

  it('accepts a text exactly when the library would have written it', () => {
    fc.assert(
      fc.property(wellFormed, fc.boolean(), (value, sorted) => {
        const text = sorted ? (canonicalize(value) ?? '') : JSON.stringify(value);
        return parseCanonical(bytesOf(text)).ok === (canonicalize(JSON.parse(text)) === text);
      }),
    );
  });

  it('orders member names that look like numbers by their text', () => {
    expect(canonicalText({ 9: 1, 10: 2, a: 3 })).toBe('{"10":2,"9":1,"a":3}');
    expect(parseCanonical(bytesOf('{"10":2,"9":1,"a":3}')).ok).toBe(true);
    expect(parseCanonical(bytesOf('{"9":1,"10":2,"a":3}')).ok).toBe(false);
  });

  it.each([
    ['-0', 'not-canonical'],
    ['1e2', 'not-canonical'],
    ['1E30', 'not-canonical'],
    ['"\\/"', 'not-canonical'],
    ['"\\ud83d\\ude00"', 'not-canonical'],
    ['"\\udead"', 'not-canonical'],
    ['{"a":1,"a":1}', 'not-canonical'],
    ['{"b":1,"a":1}', 'not-canonical'],
    ['[1,]', 'not-json'],
    ['NaN', 'not-json'],
  ])('refuses %s', (text, code) => {
    expect(parseCanonical(bytesOf(text))).toMatchObject({ ok: false, error: { code } });
  });

  it('has no form for what JSON cannot say', () => {
    for (const value of [Number.NaN, Number.POSITIVE_INFINITY, '\ud800', { a: ['\udc00'] }])
      expect(() => canonicalText(value)).toThrow();
  });
});
