import { beforeAll, describe, expect, it } from 'vitest';
import { type DomainLedger, domainLedger } from '../../test/domain-ledger.ts';
import { limits } from '../limits.ts';
import { keyNameOf } from '../port/signer.ts';
import { canonicalBytes, canonicalText } from '../receipt/canonical.ts';
import { receiptHashOf } from '../receipt/hash.ts';
import { OPERATOR_IDENTITY_ID } from '../receipt/ids.ts';
import type { Json, JsonObject } from '../receipt/json.ts';
import { eventIdAt, snapshotKeyOf } from '../receipt/key-path.ts';
import { parseSignature, signatureText, toLowS } from '../receipt/signature.ts';
import { PROJECTOR_VERSION } from '../stream/event.ts';
import { resourceOf } from './book-at.ts';
import { type ColdWorld, coldWorld } from './cold-world.fixture.ts';

/** Order of P-256. */
const N = 0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551n;

let d: DomainLedger;
let world: ColdWorld;
let good: Uint8Array;
beforeAll(async () => {
  d = await domainLedger();
  world = coldWorld(d.ledger);
  good = await world.seal(world.bookAt(d.a.book, 3));
});

const parsed = (bytes: Uint8Array = good): Record<string, Json> =>
  JSON.parse(Buffer.from(bytes).toString()) as Record<string, Json>;
const textOf = (value: Json | undefined): string => (typeof value === 'string' ? value : '');
const inside = (value: Json | undefined): Record<string, Json> => value as Record<string, Json>;
const listed = (value: Json | undefined): readonly Json[] => value as readonly Json[];

/** With a hash that fits, and the signature there was. */
const rehashed = (snapshot: JsonObject): JsonObject => {
  const { hash: _hash, signature, ...rest } = snapshot;
  return { ...rest, hash: receiptHashOf(canonicalBytes(rest)), signature: signature ?? null };
};

/** Signed by whoever has this key. */
const signed = async (snapshot: JsonObject, keyName = keyNameOf(OPERATOR_IDENTITY_ID, 1)): Promise<Uint8Array> => {
  const { hash, ...rest } = rehashed(snapshot);
  const message = Buffer.from(`pixpax/pixbook-snapshot/v1\0${textOf(hash)}`);
  return canonicalBytes({
    ...rest,
    hash: hash ?? null,
    signature: signatureText(toLowS(await world.signWith(keyName, message))),
  });
};

const outcomeOf = async (bytes: Uint8Array): Promise<string | undefined> => {
  world.objects.set(snapshotKeyOf(d.a.book), bytes);
  const reads = world.open();
  await reads.snapshot(d.a.book);
  return reads.outcomes[0];
};

/** As in `good`, with one thing changed; `by` the operator's key itself where the case says so. */
type Tampering = () => Uint8Array | Promise<Uint8Array>;
const cases: readonly (readonly [what: string, code: string, tampering: Tampering])[] = [
  ['nothing', 'used', () => good],
  ['nothing, and signed again', 'used', () => signed(parsed())],
  ['no bytes', 'not-canonical', () => new Uint8Array()],
  ['half of it', 'not-canonical', () => good.subarray(0, good.length / 2)],
  ['all but the last byte', 'not-canonical', () => good.subarray(0, -1)],
  ['a newline behind it', 'not-canonical', () => Buffer.concat([good, Buffer.from('\n')])],
  ['a byte order mark before it', 'not-canonical', () => Buffer.concat([Buffer.from('\ufeff'), good])],
  ['bytes that are no UTF-8', 'not-canonical', () => Buffer.concat([good, Buffer.from([0xff])])],
  ['spaces between its members', 'not-canonical', () => Buffer.from(JSON.stringify(parsed(), null, 1))],
  [
    'its members in another order',
    'not-canonical',
    () => Buffer.from(JSON.stringify(Object.fromEntries(Object.entries(parsed()).reverse()))),
  ],
  ['a member twice', 'not-canonical', () => Buffer.from(canonicalText(parsed()).replace('{', '{"book":null,'))],
  ['more bytes than it may have', 'too-large', () => signed({ ...parsed(), more: 'x'.repeat(limits.snapshotBytes) })],
  ['another JSON value', 'members', () => canonicalBytes([])],
  ['a receipt', 'other-version', () => d.ledger.receiptsOf(d.a.book)[3]?.bytes ?? good],
  ['a member more', 'members', () => signed({ ...parsed(), more: null })],
  ['a member less', 'members', () => signed(Object.fromEntries(Object.entries(parsed()).filter(([name]) => name !== 'shown')))],
  ['another book’s snapshot', 'other-stream', () => world.seal(world.bookAt(d.b.book, 3))],
  [
    'the book of another in its own name',
    'other-stream',
    async () => signed({ ...parsed(await world.seal(world.bookAt(d.b.book, 3))), stream: d.a.book }),
  ],
  ['another generation', 'other-stream', () => signed({ ...parsed(), book: { ...inside(parsed().book), generation: 2 } })],
  ['the next version of the projector', 'other-version', () => signed({ ...parsed(), projectorVersion: PROJECTOR_VERSION + 1 })],
  ['the version before', 'other-version', () => signed({ ...parsed(), projectorVersion: PROJECTOR_VERSION - 1 })],
  ['another format', 'other-version', () => signed({ ...parsed(), format: 'pixpax/pixbook-snapshot/v2' })],
  [
    'a hash that does not fit',
    'hash-mismatch',
    () => canonicalBytes({ ...parsed(), shown: { ...inside(parsed().shown), state: {} } }),
  ],
  [
    'a hash that fits, but no signature over it',
    'signature-invalid',
    () => canonicalBytes(rehashed({ ...parsed(), shown: { ...inside(parsed().shown), state: {} } })),
  ],
  [
    'a position that its head does not have',
    'other-stream',
    () => signed({ ...parsed(), head: { ...inside(parsed().head), position: 2 } }),
  ],
  [
    'a head that its hash does not belong to',
    'head-different',
    () => signed({ ...parsed(), head: { ...inside(parsed().head), position: 2, eventId: eventIdAt(d.a.book, 2) } }),
  ],
  [
    'the hash of the receipt before',
    'head-different',
    () =>
      signed({ ...parsed(), head: { ...inside(parsed().head), hash: d.ledger.receiptsOf(d.a.book)[2]?.receipt.hash ?? null } }),
  ],
  [
    'another time of its head',
    'head-different',
    () => signed({ ...parsed(), head: { ...inside(parsed().head), createdAt: '2020-01-01T00:00:00.000Z' } }),
  ],
  [
    'a head that the store does not have',
    'head-missing',
    () => signed({ ...parsed(), head: { ...inside(parsed().head), position: 9_999, eventId: eventIdAt(d.a.book, 9_999) } }),
  ],
  [
    'the signature of a receipt',
    'signature-invalid',
    () => canonicalBytes({ ...parsed(), signature: d.ledger.receipts[0]?.receipt.signature ?? null }),
  ],
  ['its signature with the high twin of s', 'signature-form', () => canonicalBytes({ ...parsed(), signature: highS() })],
  ['a signature of another form', 'signature-form', () => canonicalBytes({ ...parsed(), signature: 'ecdsa-p256:AAAA' })],
  [
    'a signature in the operator’s name by somebody else’s key',
    'signature-invalid',
    () => signed(parsed(), keyNameOf(d.a.identityId, 1)),
  ],
  [
    'the name of the owner’s identity, and its signature',
    'key-not-current',
    () => signed({ ...parsed(), issuer: issuerOf(d.ledger.receiptsOf(d.a.book)[0]) }, keyNameOf(d.a.identityId, 1)),
  ],
  [
    'the name of an issuer of the operator’s account, and its signature',
    'key-not-current',
    () => signed({ ...parsed(), issuer: { ...inside(parsed().issuer), identityId: d.issuer } }, keyNameOf(d.issuer, 1)),
  ],
  [
    'copies out of order',
    'members',
    () => signed({ ...parsed(), book: { ...inside(parsed().book), cards: listed(inside(parsed().book).cards).toReversed() } }),
  ],
  [
    'a copy twice',
    'members',
    () =>
      signed({
        ...parsed(),
        book: {
          ...inside(parsed().book),
          cards: [...listed(inside(parsed().book).cards), ...listed(inside(parsed().book).cards)],
        },
      }),
  ],
];

const issuerOf = (stored: { readonly receipt: { readonly issuer: JsonObject } } | undefined): JsonObject =>
  stored?.receipt.issuer ?? {};

const highS = (): string => {
  const raw = parseSignature(textOf(parsed().signature));
  if (!raw.ok) throw new Error(raw.error.detail);
  const high = Buffer.from(raw.value);
  const s = BigInt(`0x${high.subarray(32).toString('hex')}`);
  Buffer.from((N - s).toString(16).padStart(64, '0'), 'hex').copy(high, 32);
  return signatureText(high);
};

describe('a snapshot that has', () => {
  it.each(cases)('%s: %s', async (_what, code, tampering) => {
    expect(await outcomeOf(await tampering())).toBe(code);
  });

  it('one bit of any byte changed is refused, and the answer from the store is the same', async () => {
    const expected = JSON.stringify(resourceOf(world.bookAt(d.a.book, d.ledger.receiptsOf(d.a.book).length - 1)));
    const reads = world.open();
    for (let at = 0; at < good.length; at++) {
      const flipped = Uint8Array.from(good, (byte, i) => (i === at ? byte ^ (1 << (at % 7)) : byte));
      world.objects.set(snapshotKeyOf(d.a.book), flipped);
      expect(await reads.snapshot(d.a.book)).toBeNull();
      if (at % 97 > 0) continue;
      const book = await reads.begin().book(d.a.book);
      expect(book === null ? null : JSON.stringify(resourceOf(book))).toBe(expected);
    }
    expect(reads.outcomes).not.toContain('used');
  });

  it('any one of its members changed, with a hash that fits, is refused', async () => {
    const leaves = (value: Json, path: readonly (string | number)[] = []): (readonly (string | number)[])[] =>
      typeof value === 'object' && value !== null
        ? Object.entries(value).flatMap(([name, inner]) => leaves(inner, [...path, name]))
        : [path];
    const changed = (value: Json, [name, ...rest]: readonly (string | number)[]): Json => {
      if (name === undefined)
        return typeof value === 'number'
          ? value + 1
          : typeof value === 'string'
            ? `${value.slice(0, -1)}${value.endsWith('Z') ? 'Y' : 'Z'}`
            : 'x';
      if (Array.isArray(value)) return value.map((item: Json, i) => (String(i) === name ? changed(item, rest) : item));
      return { ...inside(value), [name]: changed(inside(value)[name] ?? null, rest) };
    };
    const paths = leaves(parsed());
    expect(paths.length).toBeGreaterThan(30);
    for (const path of paths) {
      const tampered = changed(parsed(), path) as JsonObject;
      const bytes = canonicalBytes(path[0] === 'hash' || path[0] === 'signature' ? tampered : rehashed(tampered));
      expect([path, await outcomeOf(bytes)]).not.toEqual([path, 'used']);
    }
  });
});
