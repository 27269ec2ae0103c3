import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { limits } from '../limits.ts';
import { parseIJson } from './i-json.ts';

const bytesOf = (text: string): Uint8Array => new TextEncoder().encode(text);
const parse = (text: string) => parseIJson(bytesOf(text));
const faultOf = (text: string) => {
  const parsed = parse(text);
  return parsed.ok ? { accepted: parsed.value } : { code: parsed.error.code, pointer: parsed.error.pointer };
};
const nested = (depth: number): string => '['.repeat(depth) + ']'.repeat(depth);
const B = '\\';

describe('a strict I-JSON reader', () => {
  it.each([
    ['{"a":1,"a":2}', 'duplicate-member', '/a'],
    [`{"a":1,"${B}u0061":2}`, 'duplicate-member', '/a'],
    [`{"${B}u0061":1,"a":2}`, 'duplicate-member', '/a'],
    [`{"x/y":{"m~n":0,"m~${B}u006e":0}}`, 'duplicate-member', '/x~1y/m~0n'],
    ['{"":1,"":2}', 'duplicate-member', '/'],
    ['[0,{"b":{"c":1,"d":2,"c":3}}]', 'duplicate-member', '/1/b/c'],
    [`{${Array.from({ length: 40 }, (_, i) => `"k${i}":${i}`).join(',')},"k7":0}`, 'duplicate-member', '/k7'],
    ['{"__proto__":{"admin":true}}', 'forbidden-member', '/__proto__'],
    [`{"a":{"__pr${B}u006fto__":1}}`, 'forbidden-member', '/a/__proto__'],
    ['{"constructor":{"prototype":1}}', 'forbidden-member', '/constructor'],
    ['[{"prototype":1}]', 'forbidden-member', '/0/prototype'],
    [`{"a":"${B}ud800"}`, 'lone-surrogate', '/a'],
    [`{"a":["x","${B}udc00${B}ud800"]}`, 'lone-surrogate', '/a/1'],
    [`{"a":"${B}ud83d x ${B}ude00"}`, 'lone-surrogate', '/a'],
    [`{"a":{"${B}uDFFF":1}}`, 'lone-surrogate', '/a'],
    [`["${B}uffff"]`, 'noncharacter', '/0'],
    ['["\ufdd0"]', 'noncharacter', '/0'],
    ['{"\u{1fffe}":1}', 'noncharacter', ''],
    ['{"n":1e999}', 'number-out-of-range', '/n'],
    ['-1e400', 'number-out-of-range', ''],
    ['[1,9007199254740992]', 'number-out-of-range', '/1'],
    ['[-9007199254740992]', 'number-out-of-range', '/0'],
    ['[9007199254740993.0]', 'number-out-of-range', '/0'],
    ['[1e20]', 'number-out-of-range', '/0'],
    ['[1E+16]', 'number-out-of-range', '/0'],
    ['[9007199254740991.5]', 'number-out-of-range', '/0'],
    [`[${'9'.repeat(5000)}]`, 'number-out-of-range', '/0'],
    [nested(limits.jsonDepth + 1), 'too-deep', `${'/0'.repeat(limits.jsonDepth)}`],
    ['{"a":'.repeat(50_000), 'too-deep', '/a'.repeat(limits.jsonDepth)],
    ['', 'empty', ''],
    [' \n\t ', 'empty', ''],
    ['\ufeff{}', 'byte-order-mark', ''],
    ['{} {}', 'not-json', ''],
    ['{},', 'not-json', ''],
    ['[1]]', 'not-json', ''],
    ['[1', 'not-json', '/0'],
    ['{"a"', 'not-json', '/a'],
    ['{"a":', 'not-json', '/a'],
    ['{"a":1,}', 'not-json', '/a'],
    ['[1,]', 'not-json', '/1'],
    ['[,1]', 'not-json', '/0'],
    ['{a:1}', 'not-json', ''],
    ["{'a':1}", 'not-json', ''],
    ['{"a" 1}', 'not-json', '/a'],
    ['[1 2]', 'not-json', '/0'],
    ['[1}', 'not-json', '/0'],
    ['01', 'not-json', ''],
    ['[-]', 'not-json', '/0'],
    ['[1.]', 'not-json', '/0'],
    ['[.5]', 'not-json', '/0'],
    ['[+1]', 'not-json', '/0'],
    ['[0x10]', 'not-json', '/0'],
    ['[1e]', 'not-json', '/0'],
    ['[00]', 'not-json', '/0'],
    ['NaN', 'not-json', ''],
    ['[Infinity]', 'not-json', '/0'],
    ['undefined', 'not-json', ''],
    ['truely', 'not-json', ''],
    ['{"a":"x\ny"}', 'not-json', '/a'],
    ['["\t"]', 'not-json', '/0'],
    [`["${B}x41"]`, 'not-json', '/0'],
    [`["${B}u12g4"]`, 'not-json', '/0'],
    ['["open', 'not-json', '/0'],
    ['"', 'not-json', ''],
    ['// comment\n{}', 'not-json', ''],
    ['\u00a0{}', 'not-json', ''],
  ])('refuses %.60j as %s at %.40j', (text, code, pointer) => {
    expect(faultOf(text)).toEqual({ code, pointer });
  });

  it.each([
    [[0x22, 0xff, 0x22], 'a byte that is in no UTF-8'],
    [[0x22, 0xed, 0xa0, 0x80, 0x22], 'a surrogate in UTF-8 clothes'],
    [[0x22, 0xc0, 0xaf, 0x22], 'an overlong form'],
    [[0x22, 0xe2, 0x82], 'a character cut short'],
    [[0xff, 0xfe, 0x7b, 0x00, 0x7d, 0x00], 'UTF-16'],
  ])('refuses %j, %s', (bytes) => {
    const parsed = parseIJson(Uint8Array.from(bytes));
    expect(parsed.ok ? null : parsed.error.code).toBe('not-utf8');
  });

  it.each([
    ['{"a":[1,-0.5,1e3,1.25E-2,true,false,null,"x"],"b":{}}'],
    [' \r\n\t{ "a" : [ ] , "b" : [ { } , 0 ] } '],
    ['9007199254740991'],
    ['-9007199254740991'],
    ['[9.007199254740991e15]'],
    ['[0.1000000000000000055511151231257827]'],
    ['[1e-400]'],
    [`["${B}ud83d${B}ude00","😀","${B}u0000","${B}${B}","${B}/"]`],
    ['{"a":{"a":{"a":1}},"b":{"a":1}}'],
    ['{"Constructor":1,"proto":2,"__proto":3,"hasOwnProperty":4,"":5}'],
    ['"text"'],
    ['null'],
    [nested(limits.jsonDepth)],
  ])('reads %.80j as JSON.parse does', (text) => {
    expect(faultOf(text)).toEqual({ accepted: JSON.parse(text) as unknown });
  });

  it('reads nothing outside the bytes it was given', () => {
    const pool = bytesOf('xx{"a":1}xx');
    expect(parseIJson(pool.subarray(2, 9))).toEqual({ ok: true, value: { a: 1 } });
  });

  it('never echoes more of a client’s names than a pointer needs', () => {
    const parsed = parse(`{"a":{"${'n'.repeat(100_000)}":1e999}}`);
    expect(parsed).toMatchObject({ ok: false, error: { code: 'number-out-of-range', pointer: '/a' } });
  });
});

/** JSON values that I-JSON takes: no forbidden names, numbers within ±(2^53−1). */
const names = fc.string({ unit: 'grapheme' }).filter((name) => !['__proto__', 'constructor', 'prototype'].includes(name));
const accepted = fc.letrec((tie) => ({
  value: fc.oneof(
    { depthSize: 'small' },
    fc.constantFrom(null, true, false),
    fc.string({ unit: 'grapheme' }),
    fc.maxSafeInteger(),
    fc.double({ min: -1e15, max: 1e15, noNaN: true }),
    fc.array(tie('value'), { maxLength: 5 }),
    fc.dictionary(names, tie('value'), { maxKeys: 20, noNullPrototype: true }),
  ),
})).value;

const NONCHARACTER = /\p{Noncharacter_Code_Point}/u;

describe('laws of the I-JSON reader', () => {
  it('reads every value it is meant to take exactly as JSON.parse, compact or indented', () => {
    fc.assert(
      fc.property(accepted, fc.constantFrom(0, 2), (value, indent) => {
        const text = JSON.stringify(value, null, indent);
        fc.pre(!NONCHARACTER.test(text));
        expect(faultOf(text)).toEqual({ accepted: JSON.parse(text) as unknown });
      }),
    );
  });

  it('takes what JSON.parse takes, and refuses the rest as not-json, where no I-JSON rule is in play', () => {
    const piece = fc.constantFrom(...'{}[],:"\\ \n01-.eEtfn', 'true', 'false', 'null', '"a"', '"b"', '0.5', '{"a":', '\\n');
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 12 }), (pieces) => {
        const text = pieces.join('');
        let native: { accepted: unknown } | 'refused';
        try {
          native = { accepted: JSON.parse(text) as unknown };
        } catch {
          native = 'refused';
        }
        const ours = faultOf(text);
        if ('accepted' in ours) expect(ours).toEqual(native);
        else if (ours.code === 'not-json' || ours.code === 'empty') expect(native).toBe('refused');
      }),
      { numRuns: 3000 },
    );
  });

  it('finds any member that is doubled, wherever it is and however it is spelled', () => {
    const escaped = (name: string) =>
      [...name]
        .map((_, i) => name.charCodeAt(i))
        .map((unit) => `${B}u${unit.toString(16).padStart(4, '0')}`)
        .join('');
    const simple = fc.string({ unit: fc.constantFrom(...'abcdef/~é'), minLength: 1, maxLength: 6 });
    fc.assert(
      fc.property(fc.uniqueArray(simple, { minLength: 1, maxLength: 30 }), fc.nat(), fc.boolean(), (unique, pick, spelled) => {
        const again = unique[pick % unique.length] ?? '';
        const members = unique.map((name) => `${JSON.stringify(name)}:0`);
        const text = `{"o":[{${[...members, `"${spelled ? escaped(again) : again}":1`].join(',')}}]}`;
        const pointer = `/o/0/${again.replaceAll('~', '~0').replaceAll('/', '~1')}`;
        expect(faultOf(text)).toEqual({ code: 'duplicate-member', pointer });
      }),
    );
  });

  it('never throws, whatever the bytes', () => {
    const hostile = fc.oneof(
      fc.uint8Array({ maxLength: 200 }),
      fc.string({ unit: 'binary' }).map(bytesOf),
      fc
        .array(fc.constantFrom(...'{}[]":,\\u0dDeE-+.1 ', '\u{1f600}'), { maxLength: 80 })
        .map((parts) => bytesOf(parts.join(''))),
    );
    fc.assert(
      fc.property(hostile, (bytes) => typeof parseIJson(bytes).ok === 'boolean'),
      { numRuns: 3000 },
    );
  });

  it('answers a body of the largest size in time that grows with its length, hostile or not', () => {
    for (const unit of ['[', '{"a":', '"\\u0000",', '{"a":1,', '9', ' ', '"', '\\', '{"k":{},']) {
      const text = unit.repeat(Math.ceil(limits.requestBodyBytes / unit.length));
      const started = performance.now();
      parse(text);
      parse(`[${text}`);
      expect(performance.now() - started).toBeLessThan(1_000);
    }
  });
});
