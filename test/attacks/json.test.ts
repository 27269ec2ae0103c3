import { brotliCompressSync, gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { MEMBER } from '../../src/http/crowded.fixture.ts';
import { operationsOf, pathOf } from '../../src/http/plausible.fixture.ts';
import { limits } from '../../src/limits.ts';
import { type Room, openRoom } from './room.ts';

/** Bodies that are not I-JSON (RFC 7493), or not what they say. None gets further than the door; nothing is written. */

const JSON_TYPE = { 'Content-Type': 'application/json', 'Idempotency-Key': 'attack' };
const bytes = (...parts: readonly (string | readonly number[])[]): Uint8Array =>
  Buffer.concat(parts.map((part) => (typeof part === 'string' ? Buffer.from(part) : Buffer.from(part))));
const nested = (depth: number, open: string, close: string): string => `{"a":${open.repeat(depth)}1${close.repeat(depth)}}`;

const malformed: readonly (readonly [string, string | Uint8Array])[] = [
  ['a member twice', '{"role":"viewer","role":"owner"}'],
  ['a member twice, once in escapes', '{"role":"viewer","\\u0072ole":"owner"}'],
  ['a member twice, deep inside', '{"a":[{"b":{"c":1,"c":2}}]}'],
  ['__proto__', '{"__proto__":{"role":"owner"}}'],
  ['__proto__ in escapes', '{"__proto\\u005f\\u005f":{"role":"owner"}}'],
  ['__proto__ deep inside', '{"a":[{"__proto__":{"x":1}}]}'],
  ['constructor', '{"constructor":{"prototype":{"role":"owner"}}}'],
  ['prototype', '{"prototype":{"role":"owner"}}'],
  ['a lone high surrogate', '{"a":"\\ud800"}'],
  ['a lone low surrogate', '{"a":"\\udc00"}'],
  ['surrogates the wrong way round', '{"a":"\\udc00\\ud800"}'],
  ['a lone surrogate as a name', '{"\\ud800":1}'],
  ['a noncharacter', '{"a":"\\uffff"}'],
  ['bytes that are not UTF-8', bytes('{"a":"', [0xff, 0xfe], '"}')],
  ['an overlong slash', bytes('{"a":"', [0xc0, 0xaf], '"}')],
  ['an overlong NUL', bytes('{"a":"', [0xc0, 0x80], '"}')],
  ['a surrogate as UTF-8', bytes('{"a":"', [0xed, 0xa0, 0x80], '"}')],
  ['UTF-8 that ends too soon', bytes('{"a":"', [0xe2, 0x82], '"}')],
  ['a byte order mark', bytes([0xef, 0xbb, 0xbf], '{}')],
  ['UTF-16', Buffer.from('\ufeff{}', 'utf16le')],
  ['NaN', '{"a":NaN}'],
  ['Infinity', '{"a":Infinity}'],
  ['a number that is infinite', '{"a":1e400}'],
  ['a number below all', '{"a":-1e400}'],
  ['an integer beyond 2^53', '{"a":9007199254740993}'],
  ['an integer below -2^53', '{"a":-9007199254740993}'],
  ['an integer of a thousand digits', `{"a":${'9'.repeat(1_000)}}`],
  ['leading zeros', '{"a":007}'],
  ['a hexadecimal number', '{"a":0x10}'],
  ['arrays deeper than the limit', nested(limits.jsonDepth + 1, '[', ']')],
  ['objects deeper than the limit', nested(limits.jsonDepth + 1, '{"a":', '}')],
  ['forty thousand open brackets', '['.repeat(40_000)],
  ['a trailing comma', '{"a":1,}'],
  ['a comment', '{"a":1}//'],
  ['single quotes', "{'a':1}"],
  ['two values', '{}{}'],
  ['something after the end', '{}\u0000'],
  ['a raw control character', '{"a":"\u0001"}'],
  ['a raw line break in a string', '{"a":"\n"}'],
  ['an escape that is none', '{"a":"\\x41"}'],
  ['nothing but white space', '  \n '],
  ['half of it', '{"a":'],
];

const operations = (await operationsOf()).filter(({ isCommand, mediaTypes }) => isCommand && mediaTypes.length > 0);

describe('a body that is no I-JSON', () => {
  let room: Room;
  beforeAll(async () => {
    room = await openRoom();
  });
  afterAll(() => room.stop());

  it.each(malformed)('%s is refused by every command, and nothing is written', async (_, body) => {
    const objects = room.crowd.world.objects.size;
    for (const operation of operations) {
      const answer = await room.send('POST', pathOf(room.crowd, operation), { as: MEMBER, headers: JSON_TYPE, body });
      const problem = JSON.parse(answer.body) as { code: string; errors?: unknown[] };
      expect([operation.id, answer.status, problem.code]).toEqual([operation.id, 400, 'invalid-json']);
      expect(problem.errors?.length).toBe(1);
    }
    expect(room.crowd.world.objects.size).toBe(objects);
    expect(({} as Record<string, unknown>).role).toBeUndefined();
  });

  const save = (headers: Record<string, string>, body: string | Uint8Array) =>
    room.send('POST', `/v1/pixbooks/${room.crowd.bookId}/commands/save`, {
      ...{ as: MEMBER, headers: { 'Idempotency-Key': 'attack', ...headers }, body },
    });
  const valid = () => JSON.stringify({ state: {}, baseEventId: room.crowd.headEventId });

  it.each([
    ['no type', {}],
    ['text', { 'Content-Type': 'text/plain' }],
    ['a form', { 'Content-Type': 'application/x-www-form-urlencoded' }],
    ['a form with files', { 'Content-Type': 'multipart/form-data; boundary=x' }],
    ['XML', { 'Content-Type': 'application/xml' }],
    ['JSON in another alphabet', { 'Content-Type': 'application/json; charset=utf-7' }],
    ['JSON in UTF-16', { 'Content-Type': 'application/json; charset=utf-16' }],
    ['a type that only begins like JSON', { 'Content-Type': 'application/jsonp' }],
    ['a type that ends like JSON', { 'Content-Type': 'application/vnd.api+json' }],
    ['two types', { 'Content-Type': 'application/json, text/plain' }],
  ] as const)('declared as %s is not looked at', async (_, headers) => {
    const answer = await save({ ...headers }, valid());
    expect(answer.status).toBe(415);
  });

  it.each([
    ['gzip', gzipSync(Buffer.alloc(50_000_000, 0x20))],
    ['br', brotliCompressSync(Buffer.alloc(50_000_000, 0x20))],
    ['gzip, gzip', gzipSync(gzipSync('{}'))],
    ['deflate', Buffer.from('x')],
    ['x-unknown', Buffer.from('{}')],
  ])('that unfolds (%s) stays folded', async (encoding, body) => {
    const before = process.memoryUsage().rss;
    const answer = await save({ 'Content-Type': 'application/json', 'Content-Encoding': encoding }, body);
    expect(answer.status).toBe(415);
    expect(process.memoryUsage().rss - before).toBeLessThan(40_000_000);
  });

  it.each([
    ['by one byte', limits.requestBodyBytes + 1],
    ['by a megabyte', limits.requestBodyBytes + 1_000_000],
  ])('over the limit %s is refused, whatever it says of its length', async (_, length) => {
    const body = `"${'x'.repeat(length - 2)}"`;
    expect((await save({ 'Content-Type': 'application/json' }, body)).status).toBe(413);
    const chunked = await save({ 'Content-Type': 'application/json', 'Transfer-Encoding': 'chunked' }, body);
    expect(chunked.status).toBe(413);
  });

  it('goes through when it is as it should be: the attacks above fail for what they are', async () => {
    expect((await save({ 'Content-Type': 'application/json' }, valid())).status).toBe(201);
  });
});
