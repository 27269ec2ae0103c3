import { inspect } from 'node:util';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { limits } from '../../limits.ts';
import { parseCodeId } from '../../receipt/ids.ts';
import { type Code, codeIdOf, codeKeyOf, codeShown, newCode, parseCode } from './secret.ts';

const secret = Uint8Array.from({ length: 32 }, (_, i) => i);
const key = codeKeyOf(secret);
const otherKey = codeKeyOf(Uint8Array.from({ length: 32 }, (_, i) => i + 1));
const batch = 'bat_01JZ0000000000000000000000';
const CODE = /^[0-9A-HJKMNP-TV-Z]{12}$/;

const codeIn = (text: string): Code => {
  const parsed = parseCode(text);
  if (!parsed.ok) throw new Error(parsed.error.code);
  return parsed.value;
};

describe('a code', () => {
  // Made with Python’s hmac and hashlib from the descriptions: another code or id would void what is printed already.
  it.each([
    [0, 'Y6JXJJ7M4XXX', 'cod_29EQPC3XAD2S0GVWKG0H3XN7CH'],
    [499, 'ZFXF5HETPV4W', 'cod_236ZHKETT6CX0ARECGCKDTVNVN'],
  ])('is what another program makes of the secret, at %d of a batch', (index, code, codeId) => {
    expect(newCode(key, batch, index)).toBe(code);
    expect(codeIdOf(key, newCode(key, batch, index))).toBe(codeId);
  });

  it('is made again by a batch that is resumed, and by no other batch or secret', () => {
    const codesOf = (codeKey: typeof key, batchId: string) =>
      Array.from({ length: limits.codesPerBatch }, (_, index) => newCode(codeKey, batchId, index));
    const codes = codesOf(key, batch);
    expect(codesOf(codeKeyOf(secret), batch)).toEqual(codes);
    const all = [...codes, ...codesOf(key, 'bat_01JZ0000000000000000000001'), ...codesOf(otherKey, batch)];
    expect(new Set(all).size).toBe(all.length);
    for (const code of codes) expect(code).toMatch(CODE);
  });

  it('has an id that is an id, differs from code to code, and depends on the secret', () => {
    const codes = Array.from({ length: limits.codesPerBatch }, (_, index) => newCode(key, batch, index));
    const ids = codes.map((code) => codeIdOf(key, code));
    for (const id of ids) expect(parseCodeId(id).ok).toBe(true);
    expect(new Set(ids).size).toBe(ids.length);
    expect(codes.filter((code, i) => codeIdOf(otherKey, code) === ids[i])).toEqual([]);
  });

  it('uses every character in every place', () => {
    const seen = Array.from({ length: 12 }, () => new Set<string>());
    for (let index = 0; index < 1_000; index++)
      for (const [place, character] of [...newCode(key, batch, index)].entries()) seen[place]?.add(character);
    expect(seen.map(({ size }) => size)).toEqual(seen.map(() => 32));
  });
});

describe('the keys of codes', () => {
  it('are not made of a short secret', () => {
    expect(() => codeKeyOf(secret.subarray(1))).toThrow(RangeError);
  });

  it('do not show when they are printed', () => {
    expect(inspect(key, { depth: 9, showHidden: true })).not.toMatch(/[0-9a-f]{8}/i);
    expect(JSON.stringify(key)).toBe('{"making":{},"naming":{}}');
  });
});

describe('reading a code that a person typed', () => {
  it.each([
    ['as it is', 'Y6JXJJ7M4XXX'],
    ['as it is printed', 'Y6JX-JJ7M-4XXX'],
    ['with spaces', ' Y6JX JJ7M 4XXX\n'],
    ['in small letters', 'y6jx-jj7m-4xxx'],
    ['with hyphens anywhere', '-Y-6JXJJ7M4XX-X-'],
  ])('takes it %s', (_how, text) => {
    expect(parseCode(text)).toEqual({ ok: true, value: 'Y6JXJJ7M4XXX' });
  });

  it('takes O for 0, and I and L for 1, small or not', () => {
    expect(codeIn('OoIi-LlAB-CDEF')).toBe('001111ABCDEF');
  });

  it.each([
    ['nothing', ''],
    ['one character less', 'Y6JXJJ7M4XX'],
    ['one character more', 'Y6JXJJ7M4XXXX'],
    ['a U', 'U6JXJJ7M4XXX'],
    ['a small u', 'u6jxjj7m4xxx'],
    ['other marks', 'Y6JX_JJ7M_4XXX'],
    ['a letter that becomes an S in capitals', 'Y6JXJJ7M4XXſ'],
    ['a letter that becomes an I in capitals', 'Y6JXJJ7M4XXı'],
    ['a letter that becomes a K in small', 'Y6JXJJ7M4XX\u212a'],
    ['full-width digits', 'Y6JXJJ7M4XX０'],
    ['more than anybody types', `Y6JXJJ7M4XXX${' '.repeat(limits.typedCodeChars)}`],
    ['a number', 123_456_789_012],
    ['null', null],
  ])('refuses %s', (_what, text) => {
    expect(parseCode(text)).toMatchObject({ ok: false, error: { code: 'malformed-code' } });
  });

  it('does not quote what it refuses', () => {
    expect(JSON.stringify(parseCode('Y6JXJJ7M4XXU'))).not.toContain('Y6JX');
  });

  const codes = fc.stringMatching(CODE).map((text) => codeIn(text));

  it('takes every code as it is shown, in any case and however it is grouped', () => {
    fc.assert(
      fc.property(codes, fc.array(fc.nat(12), { maxLength: 5 }), fc.boolean(), (code, gaps, small) => {
        const grouped = gaps.reduce((text, at) => `${text.slice(0, at)} ${text.slice(at)}`, codeShown(code));
        expect(codeIn(small ? grouped.toLowerCase() : grouped)).toBe(code);
      }),
    );
  });

  it('makes a code of every text or refuses it, and a code of a code is itself', () => {
    fc.assert(
      fc.property(fc.string({ maxLength: 20 }), (text) => {
        const parsed = parseCode(text);
        if (parsed.ok) expect(codeIn(parsed.value)).toBe(parsed.value);
        if (parsed.ok) expect(parsed.value).toMatch(CODE);
      }),
    );
  });
});

describe('showing a code', () => {
  it('puts it in groups of four with hyphens', () => {
    expect(codeShown(codeIn('Y6JXJJ7M4XXX'))).toBe('Y6JX-JJ7M-4XXX');
  });
});
