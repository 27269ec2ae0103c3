import { describe, expect, it } from 'vitest';
import { fixedKey, resigned } from '../../test/receipt/signed-receipt.ts';
import { ledgerOfVectors } from '../../test/receipt/vectors.ts';
import { canonicalBytes } from './canonical.ts';
import type { Json, JsonObject } from './json.ts';
import { readReceipt } from './read.ts';

const receipts = ledgerOfVectors();
const find = (type: string) => {
  const found = receipts.find(({ receipt }) => receipt.type === type);
  if (found === undefined) throw new Error(`no ${type} among the vectors`);
  return found;
};
const saved = find('PIXBOOK_SAVE');
const closed = find('PIXBOOK_CLOSED');
const text = Buffer.from(closed.bytes).toString('utf8');
const codeOf = (bytes: Uint8Array, key = closed.key): string => {
  const read = readReceipt(bytes, key);
  return read.ok ? 'accepted' : read.error.code;
};
const spelled = (altered: string): Uint8Array => Buffer.from(altered, 'utf8');

describe('strict reading', () => {
  it.each(receipts)('accepts $receipt.type under its own key, and finds what was signed', ({ bytes, key, signed, position }) => {
    const read = readReceipt(bytes, key);
    expect(read.ok && [read.value.position, Buffer.from(read.value.signed)]).toEqual([position, Buffer.from(signed)]);
  });

  it('finds what was signed also where the payload holds the very text of hash and signature', () => {
    const { hash, signature } = saved.receipt;
    const state = { hash, signature, stream: { signature } };
    const nested = resigned(saved.receipt, { payload: { ...saved.receipt.payload, state } }, fixedKey(3));
    const read = readReceipt(nested.bytes, nested.key);
    expect(read.ok && Buffer.from(read.value.signed)).toEqual(Buffer.from(nested.signed));
  });

  it.each([
    ['white space', text.replace('{"', '{ "'), 'not-canonical'],
    ['a trailing newline', `${text}\n`, 'not-canonical'],
    ['a byte order mark', `\ufeff${text}`, 'not-json'],
    ['1.0 for 1', text.replace('"schemaVersion":1', '"schemaVersion":1.0'), 'not-canonical'],
    ['an escape where none is needed', text.replace('PIXBOOK', '\\u0050IXBOOK'), 'not-canonical'],
    ['a duplicate key', text.replace('"schemaVersion":1', '"schemaVersion":1,"schemaVersion":1'), 'not-canonical'],
    [
      'another order of members',
      text.replace('"payload":{},', '').replace('{"createdAt"', '{"payload":{},"createdAt"'),
      'not-canonical',
    ],
    ['nothing', '', 'not-json'],
    ['an array', '[]', 'members'],
    ['half of the text', text.slice(0, text.length / 2), 'not-json'],
  ])('refuses %s', (_what, altered, code) => {
    expect(codeOf(spelled(altered))).toBe(code);
  });

  it('refuses bytes that are not UTF-8, and more than the limit', () => {
    expect(codeOf(Buffer.concat([closed.bytes, Buffer.of(0xff)]))).toBe('not-utf8');
    expect(codeOf(Buffer.alloc(64 * 1024 + 1, 0x20))).toBe('too-large');
  });

  it('refuses nesting that would exhaust the stack, without exhausting it', () => {
    expect(codeOf(spelled('['.repeat(60_000)))).toBe('too-deep');
  });

  it('refuses a lone surrogate although JSON.parse and JSON.stringify agree on it', () => {
    const altered = text.replace('"payload":{}', '"payload":{"a":"\\ud800"}');
    expect(JSON.stringify(JSON.parse(altered))).toBe(altered);
    expect(codeOf(spelled(altered))).toBe('not-canonical');
  });

  it.each<[string, JsonObject]>([
    ['a member too many', { note: 'hello' }],
    ['a null type', { type: null }],
    ['a type in lower case', { type: 'pixbook_closed' }],
    ['a payload that is an array', { payload: [] }],
    ['a payload that is null', { payload: null }],
    ['schema version 2', { schemaVersion: 2 }],
    ['a date without milliseconds', { createdAt: '2026-01-02T03:04:05Z' }],
    ['a date that does not exist', { createdAt: '2026-02-30T03:04:05.000Z' }],
    ['an issuer with a member too many', { issuer: { ...closed.receipt.issuer, name: 'x' } }],
    ['an upper-case public key id', { issuer: { ...closed.receipt.issuer, publicKeyId: `sha256:${'A'.repeat(64)}` } }],
    ['an empty idempotency key', { idempotencyKey: '' }],
    ['an idempotency key with a space', { idempotencyKey: 'a b' }],
    ['an idempotency key of 256 characters', { idempotencyKey: 'a'.repeat(256) }],
    ['a previous hash without a previous id', { prevEventId: null }],
    ['a previous id without a previous hash', { prevHash: null }],
    ['an unknown kind of stream', { stream: { type: 'album', accountId: 'acc_operator' } }],
    ['a stream with a member too many', { stream: { ...closed.receipt.stream, extra: 1 } }],
    ['an account id that climbs out of its folder', { stream: { type: 'account', accountId: '../acc_operator' } }],
  ])('refuses %s, even when it is signed', (_what, changes) => {
    const forged = resigned(closed.receipt, changes, fixedKey(3));
    expect(['members', 'member-form']).toContain(codeOf(forged.bytes));
  });

  it('refuses a receipt without one of its members', () => {
    for (const member of Object.keys(closed.receipt)) {
      const { [member]: _gone, ...rest } = closed.receipt as unknown as Record<string, Json>;
      expect(codeOf(canonicalBytes(rest))).toBe('members');
    }
  });

  it('refuses the key of another position and of another stream', () => {
    expect(codeOf(closed.bytes, saved.key)).toBe('key-mismatch');
    expect(codeOf(closed.bytes, closed.key.replace('/bk_', '/bk_0'))).toBe('key-mismatch');
  });

  it('refuses an event id that is not computed from stream and position', () => {
    const forged = resigned(closed.receipt, { eventId: saved.receipt.eventId.replace(/.$/, '0') }, fixedKey(3));
    expect(codeOf(forged.bytes, forged.key)).toBe('event-id-not-computed');
  });

  it('refuses the high-S twin of a signature, and base64 that does not re-encode to itself', () => {
    const raw = Buffer.from(closed.receipt.signature.slice('ecdsa-p256:'.length), 'base64');
    const order = 0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551n;
    const high = Buffer.from((order - BigInt(`0x${raw.subarray(32).toString('hex')}`)).toString(16).padStart(64, '0'), 'hex');
    const twin = `ecdsa-p256:${Buffer.concat([raw.subarray(0, 32), high]).toString('base64')}`;
    const withSignature = (signature: string) => canonicalBytes({ ...closed.receipt, signature });
    expect(codeOf(withSignature(twin))).toBe('signature-high-s');
    for (const form of [
      '',
      'ecdsa-p256:',
      closed.receipt.signature.replace('==', ''),
      closed.receipt.signature.replace('ecdsa', 'eddsa'),
    ])
      expect(codeOf(withSignature(form))).toBe('signature-form');
    expect(codeOf(withSignature(closed.receipt.signature.replace(/.==$/, (tail) => `${nextSpelling(tail[0] ?? '')}==`)))).toBe(
      'signature-form',
    );
  });

  it('refuses a hash of other bytes', () => {
    expect(codeOf(canonicalBytes({ ...closed.receipt, hash: saved.receipt.hash }))).toBe('hash-mismatch');
  });
});

/** The next base64 character: the same 64 bytes with other padding bits. */
const nextSpelling = (char: string): string => {
  const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/';
  return alphabet[alphabet.indexOf(char) + 1] ?? 'A';
};
