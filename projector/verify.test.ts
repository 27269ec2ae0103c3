import { beforeAll, describe, expect, it } from 'vitest';
import { type MemoryObjects, memoryStore } from '../src/adapter/memory/receipt-store.ts';
import { limits } from '../src/limits.ts';
import { Outage } from '../src/port/outage.ts';
import { OPERATOR_ACCOUNT_ID, type PublicKeyId, instantOf } from '../src/receipt/ids.ts';
import { eventIdAt, keyAt, prefixOf } from '../src/receipt/key-path.ts';
import type { StoredReceipt } from '../src/receipt/receipt.ts';
import { type Stream, accountStream } from '../src/receipt/stream.ts';
import { granted } from '../test/ledger-fixture.ts';
import type { FaultCode, Verdict } from './ledger-fault.ts';
import { openSource } from './open-source.ts';
import { storeSource } from './store-source.ts';
import {
  ANN,
  type SmallLedger,
  asDirectory,
  highSTwin,
  issuer,
  objectsOf,
  resigned,
  setText,
  smallLedger,
  textAt,
} from './tampering.fixture.ts';
import { verifyLedger } from './verify.ts';

const OPERATOR = accountStream(OPERATOR_ACCOUNT_ID);

const verifyMemory = (objects: MemoryObjects, trust: PublicKeyId | null = null, below: string | null = null) =>
  verifyLedger({ source: storeSource(memoryStore(objects)), trust, below });

const verifyDirectory = async (objects: MemoryObjects, threads = 0) => {
  using directory = asDirectory(objects);
  const source = await openSource({ location: { kind: 'file', directory: directory.path }, credentials: null, durable: false });
  const report = await verifyLedger({ source, trust: null, threads });
  await source.close();
  return report;
};

/** What one tampering must lead to: the verdict and the fault, by code and key. */
type Expected = { readonly verdict?: Verdict; readonly code: FaultCode; readonly key: string };
type Tampering = readonly [name: string, tamper: (objects: MemoryObjects, small: SmallLedger) => Expected | Promise<Expected>];

const drop = (objects: MemoryObjects, stream: Stream, position: number): Expected => {
  const key = keyAt(stream, position);
  objects.delete(key);
  return { verdict: 'incomplete', code: 'missing', key };
};

const put = (
  objects: MemoryObjects,
  stream: Stream,
  position: number,
  bytes: Uint8Array | undefined,
  code: FaultCode,
): Expected => {
  const key = keyAt(stream, position);
  objects.set(key, bytes ?? new Uint8Array());
  return { code, key };
};

const edit = (
  objects: MemoryObjects,
  stream: Stream,
  position: number,
  change: (text: string) => string,
  code: FaultCode,
): Expected => {
  const before = textAt(objects, stream, position);
  const after = change(before);
  if (after === before) throw new Error('this tampering changes nothing');
  setText(objects, stream, position, after);
  return { code, key: keyAt(stream, position) };
};

const at = (small: SmallLedger, stream: Stream, position: number): StoredReceipt => {
  const stored = small.ledger.receiptsOf(stream)[position];
  if (stored === undefined) throw new Error('no such receipt');
  return stored;
};

/** The next receipt of a stream, put into the store. */
const append = (objects: MemoryObjects, stored: StoredReceipt, code: FaultCode): Expected =>
  put(objects, stored.receipt.stream, stored.position, stored.bytes, code);

const laterMs = Date.UTC(2026, 5, 1);

const tamperings: readonly Tampering[] = [
  ['a dropped receipt', (objects, { bookA }) => drop(objects, bookA, 2)],
  ['a dropped first receipt', (objects, { bookA }) => drop(objects, bookA, 0)],
  ['a dropped receipt of an account', (objects, { a }) => drop(objects, a, 1)],
  ['a deleted genesis', (objects) => drop(objects, OPERATOR, 0)],
  [
    'an account’s whole stream gone',
    (objects, { b }) => {
      drop(objects, b, 1);
      return drop(objects, b, 0);
    },
  ],
  [
    'two receipts swapped',
    (objects, { bookA }) => {
      const bytes = objects.get(keyAt(bookA, 3));
      put(objects, bookA, 3, objects.get(keyAt(bookA, 2)), 'key-mismatch');
      return put(objects, bookA, 2, bytes, 'key-mismatch');
    },
  ],
  [
    'a receipt copied into another book',
    (objects, { bookA, bookB }) => put(objects, bookB, 3, objects.get(keyAt(bookA, 3)), 'key-mismatch'),
  ],
  [
    'a receipt copied into another book under its own name',
    (objects, { bookA, bookB }) => {
      const key = `${prefixOf(bookB)}/events/${eventIdAt(bookA, 1)}.json`;
      objects.set(key, objects.get(keyAt(bookA, 1)) ?? new Uint8Array());
      return { code: 'unexpected-object', key };
    },
  ],
  [
    'a receipt signed anew by another known key that says so',
    async (objects, small) => {
      const by = { identityId: small.bert, generation: 1 };
      const bytes = await resigned(at(small, small.bookA, 4).receipt, { issuer: await issuer(small.bert, 1) }, by);
      return put(objects, small.bookA, 4, bytes, 'issuer-not-authorised');
    },
  ],
  [
    'a receipt signed anew by another known key that does not say so',
    async (objects, small) => {
      const bytes = await resigned(at(small, small.bookA, 4).receipt, {}, { identityId: small.bert, generation: 1 });
      return put(objects, small.bookA, 4, bytes, 'signature-invalid');
    },
  ],
  [
    'a receipt signed anew by a key nobody introduced',
    async (objects, small) => {
      const by = { identityId: small.anna, generation: 7 };
      const bytes = await resigned(at(small, small.bookA, 4).receipt, { issuer: await issuer(small.anna, 7) }, by);
      return put(objects, small.bookA, 4, bytes, 'key-unknown');
    },
  ],
  [
    'the high-S twin of a signature',
    (objects, small) => {
      const { signature } = at(small, small.bookB, 1).receipt;
      return edit(objects, small.bookB, 1, (text) => text.replace(signature, highSTwin(signature)), 'signature-high-s');
    },
  ],
  [
    'members in another order',
    (objects, { bookB }) => edit(objects, bookB, 1, (text) => text.replace(/^\{(.+?),(.+?),/, '{$2,$1,'), 'not-canonical'),
  ],
  [
    'a member twice',
    (objects, { bookB }) => edit(objects, bookB, 1, (text) => text.replace(/^\{(.+?),/, '{$1,$1,'), 'not-canonical'),
  ],
  [
    '1.0 for 1',
    (objects, { bookB }) => edit(objects, bookB, 1, (text) => text.replace('"page":1', '"page":1.0'), 'not-canonical'),
  ],
  ['a newline at the end', (objects, { bookB }) => edit(objects, bookB, 1, (text) => `${text}\n`, 'not-canonical')],
  ['a truncated receipt', (objects, { bookB }) => edit(objects, bookB, 1, (text) => text.slice(0, -20), 'not-json')],
  ['an empty object', (objects, { bookB }) => edit(objects, bookB, 1, () => '', 'not-json')],
  [
    'an object beyond every limit',
    (objects, { bookB }) => edit(objects, bookB, 1, (text) => text + ' '.repeat(limits.receiptBytes), 'too-large'),
  ],
  [
    'an extra object among the receipts',
    (objects, { bookA }) => {
      const key = `${prefixOf(bookA)}/events/note.json`;
      objects.set(key, Buffer.from('{}'));
      return { code: 'unexpected-object', key };
    },
  ],
  [
    'an extra object under an id that is not computed',
    (objects, { bookA, bookB }) => {
      const key = `${prefixOf(bookA)}/events/${eventIdAt(bookB, 2)}.json`;
      objects.set(key, objects.get(keyAt(bookA, 2)) ?? new Uint8Array());
      return { code: 'unexpected-object', key };
    },
  ],
  [
    'an extra object beside the streams',
    (objects) => {
      objects.set('pixpax/accounts/readme.txt', Buffer.from('hello'));
      return { code: 'unexpected-object', key: 'pixpax/accounts/readme.txt' };
    },
  ],
  [
    'an extra object beside a stream’s receipts',
    (objects, { bookA }) => {
      const key = `${prefixOf(bookA)}/backup/events.json`;
      objects.set(key, Buffer.from('hello'));
      return { code: 'unexpected-object', key };
    },
  ],
  [
    'a revoked key used later',
    async (objects, { ledger, a, anna, bookA }) => {
      const revoked = granted(await ledger.account(a.accountId, { type: 'revoke-identity', identityId: anna, by: ANN }));
      objects.set(keyAt(a, revoked.position), revoked.bytes);
      const payload = { state: {}, baseEventId: eventIdAt(bookA, 4) };
      return append(
        objects,
        await ledger.forge(bookA, { type: 'PIXBOOK_SAVE', payload }, { atMs: laterMs }),
        'key-not-valid-then',
      );
    },
  ],
  [
    'a rotation signed by the operator',
    async (objects, { ledger, a, anna }) => {
      const payload = { identityId: anna, publicKey: await ledger.publicKeyOf(anna, 3), keyGeneration: 3, by: ANN };
      return append(objects, await ledger.forge(a, { type: 'IDENTITY_KEY_ROTATED', payload }), 'issuer-not-authorised');
    },
  ],
  [
    'a rotation signed by the key that it brings',
    async (objects, { ledger, a, anna }) => {
      const payload = { identityId: anna, publicKey: await ledger.publicKeyOf(anna, 3), keyGeneration: 3, by: ANN };
      const forged = await ledger.forge(a, { type: 'IDENTITY_KEY_ROTATED', payload });
      const bytes = await resigned(forged.receipt, { issuer: await issuer(anna, 3) }, { identityId: anna, generation: 3 });
      return append(objects, { ...forged, bytes }, 'key-unknown');
    },
  ],
  [
    'an identity that another account introduced',
    async (objects, { ledger, a, anna, b, bert }) => {
      // Whichever account comes first has it.
      const [late, identityId] = a.accountId < b.accountId ? [b, anna] : [a, bert];
      const payload = {
        identityId,
        publicKey: await ledger.publicKeyOf(identityId, 1),
        keyGeneration: 1,
        controller: ANN,
        by: ANN,
      };
      return append(objects, await ledger.forge(late, { type: 'IDENTITY_CREATED', payload }), 'key-already-introduced');
    },
  ],
  [
    'an idempotency key used twice',
    async (objects, { ledger, bookB }) =>
      append(
        objects,
        await ledger.save(bookB, {}, { key: at({ ledger } as SmallLedger, bookB, 1).receipt.idempotencyKey }),
        'idempotency-key-twice',
      ),
  ],
  [
    'a save that is based on an older one',
    async (objects, { ledger, bookB }) => {
      const payload = { state: {}, baseEventId: eventIdAt(bookB, 1) };
      return append(objects, await ledger.forge(bookB, { type: 'PIXBOOK_SAVE', payload }), 'illegal-event');
    },
  ],
  [
    'an event nobody knows',
    async (objects, { ledger, bookB }) =>
      append(objects, await ledger.forge(bookB, { type: 'PIXBOOK_EATEN', payload: {} }), 'event-unknown'),
  ],
  [
    'a payload with a member too many',
    async (objects, { ledger, bookB }) =>
      append(objects, await ledger.forge(bookB, { type: 'PIXBOOK_CLOSED', payload: { why: 'rain' } }), 'payload-malformed'),
  ],
  [
    'time running backwards',
    async (objects, small) => {
      const { receipt } = at(small, small.bookB, 2);
      const bytes = await resigned(receipt, { createdAt: instantOf(0) }, { identityId: small.bert, generation: 1 });
      return put(objects, small.bookB, 2, bytes, 'runs-backwards');
    },
  ],
  [
    'another predecessor',
    async (objects, small) => {
      const { receipt } = at(small, small.bookB, 2);
      const bytes = await resigned(
        receipt,
        { prevEventId: eventIdAt(small.bookB, 0) },
        { identityId: small.bert, generation: 1 },
      );
      return put(objects, small.bookB, 2, bytes, 'prev-mismatch');
    },
  ],
  [
    'a genesis that the key it carries did not sign',
    async (objects, small) => {
      const { receipt } = at(small, OPERATOR, 0);
      return put(
        objects,
        OPERATOR,
        0,
        await resigned(receipt, {}, { identityId: small.anna, generation: 1 }),
        'signature-invalid',
      );
    },
  ],
];

describe('verify', () => {
  let whole: SmallLedger;
  beforeAll(async () => {
    whole = await smallLedger();
  });

  it('finds a ledger valid that is', async () => {
    const objects = objectsOf(whole.ledger.receipts);
    const expected = { verdict: 'valid', fingerprint: whole.ledger.trust, streams: 5, receipts: 14, unverifiable: 0, faults: [] };
    expect(await verifyMemory(objects)).toMatchObject({ ...expected, pinned: false });
    expect(await verifyDirectory(objects)).toMatchObject(expected);
    expect(await verifyMemory(objects, whole.ledger.trust)).toMatchObject({ ...expected, pinned: true });
  });

  it.each(tamperings)('names the key of %s', async (_, tamper) => {
    const small = await smallLedger();
    const objects = objectsOf(small.ledger.receipts);
    const { verdict = 'invalid', code, key } = await tamper(objects, small);
    for (const report of [await verifyMemory(objects), await verifyDirectory(objects)]) {
      // One fault and no cascade: what follows from it is counted, not listed.
      expect(report.faults).toEqual([expect.objectContaining({ code, key })]);
      expect(report.verdict).toBe(verdict);
    }
  });

  it('holds derived objects for nothing', async () => {
    const objects = objectsOf(whole.ledger.receipts);
    objects.set(`${prefixOf(whole.bookA)}/snapshot.json`, Buffer.from('{}'));
    objects.set('segments/1', Buffer.from('derived'));
    expect(await verifyMemory(objects)).toMatchObject({ verdict: 'valid', receipts: 14 });
    expect(await verifyDirectory(objects)).toMatchObject({ verdict: 'valid', receipts: 14 });
  });

  it('counts what comes after a fault instead of listing it', async () => {
    const objects = objectsOf(whole.ledger.receipts);
    setText(objects, whole.bookA, 1, '{}');
    const { faults, unverifiable, receipts } = await verifyMemory(objects);
    expect(faults).toEqual([expect.objectContaining({ code: 'members', position: 1, unverifiable: 3 })]);
    expect({ unverifiable, receipts }).toEqual({ unverifiable: 3, receipts: 10 });
  });

  it('goes on behind a gap with what can still be checked', async () => {
    const objects = objectsOf(whole.ledger.receipts);
    objects.delete(keyAt(whole.bookA, 1));
    objects.delete(keyAt(whole.bookA, 2));
    expect(await verifyMemory(objects)).toMatchObject({
      verdict: 'incomplete',
      faults: [{ code: 'missing', position: 1, lastPosition: 2, unverifiable: 0 }],
      receipts: 12,
    });
    const { receipt } = at(whole, whole.bookA, 4);
    objects.set(keyAt(whole.bookA, 4), await resigned(receipt, {}, { identityId: whole.bert, generation: 1 }));
    expect(await verifyMemory(objects)).toMatchObject({
      verdict: 'invalid',
      faults: [{ code: 'missing' }, { code: 'signature-invalid', position: 4 }],
    });
  });

  it('says nothing of signatures whose keys come from a stream at fault', async () => {
    const objects = objectsOf(whole.ledger.receipts);
    objects.delete(keyAt(whole.b, 1));
    const { verdict, faults, unverifiable } = await verifyMemory(objects);
    // The identity's introduction is gone from the end, so its stream looks whole; its book does not.
    expect({ verdict, unverifiable }).toEqual({ verdict: 'invalid', unverifiable: 2 });
    expect(faults).toEqual([expect.objectContaining({ code: 'key-unknown', key: keyAt(whole.bookB, 0) })]);

    objects.delete(keyAt(whole.b, 0));
    expect(await verifyMemory(objects)).toMatchObject({
      verdict: 'incomplete',
      faults: [{ code: 'missing', key: keyAt(whole.b, 0) }],
      unverifiable: 3,
    });
  });

  it('refuses another ledger than the pinned one, and says which it found', async () => {
    const pinned = `sha256:${'0'.repeat(64)}` as PublicKeyId;
    const report = await verifyMemory(objectsOf(whole.ledger.receipts), pinned);
    expect(report).toMatchObject({ verdict: 'invalid', pinned: true, receipts: 0, unverifiable: 13 });
    expect(report.faults).toEqual([expect.objectContaining({ code: 'trust-mismatch', key: keyAt(OPERATOR, 0) })]);
    expect(report.faults[0]?.detail).toContain(whole.ledger.trust);
  });

  it('calls a place without a ledger incomplete', async () => {
    expect(await verifyMemory(new Map())).toMatchObject({
      verdict: 'incomplete',
      faults: [{ code: 'missing', key: keyAt(OPERATOR, 0) }],
    });
  });

  it.each([
    ['one stream and what it rests on', (small: SmallLedger) => prefixOf(small.bookA), 3, 9],
    ['an account’s stream', (small: SmallLedger) => prefixOf(small.a), 2, 4],
    ['the operator’s stream', () => prefixOf(OPERATOR), 1, 1],
    ['the books of an account', (small: SmallLedger) => `pixpax/pixbooks/${small.b.accountId}`, 3, 6],
    ['all books', () => 'pixpax/pixbooks', 5, 14],
  ])('verifies %s alone', async (_, below, streams, receipts) => {
    const objects = objectsOf(whole.ledger.receipts);
    expect(await verifyMemory(objects, null, below(whole))).toMatchObject({ verdict: 'valid', streams, receipts });
  });

  it('comes to the same in threads of its own', async () => {
    const objects = objectsOf(whole.ledger.receipts);
    edit(objects, whole.bookB, 1, (text) => text.replace('"page":1', '"page":9'), 'hash-mismatch');
    const { source: _, ...here } = await verifyDirectory(objects, 0);
    const { source: __, ...there } = await verifyDirectory(objects, 2);
    expect(there).toEqual(here);
    expect(here.faults).toEqual([
      expect.objectContaining({ code: 'hash-mismatch', key: keyAt(whole.bookB, 1), unverifiable: 1 }),
    ]);
  });

  it('stops with an outage when the store fails in the middle', async () => {
    const store = memoryStore(objectsOf(whole.ledger.receipts));
    const failing = {
      ...store,
      read: (key: string) =>
        key === keyAt(whole.bookB, 2) ? Promise.reject(new Outage('store', 'store-unavailable', 'gone')) : store.read(key),
    };
    await expect(verifyLedger({ source: storeSource(failing), trust: null })).rejects.toThrow(Outage);
  });

  it('names a receipt that vanishes between listing and reading', async () => {
    const store = memoryStore(objectsOf(whole.ledger.receipts));
    const forgetful = {
      ...store,
      read: (key: string) => (key === keyAt(whole.bookB, 1) ? Promise.resolve(null) : store.read(key)),
    };
    expect(await verifyLedger({ source: storeSource(forgetful), trust: null })).toMatchObject({
      verdict: 'incomplete',
      faults: [{ code: 'missing', key: keyAt(whole.bookB, 1) }],
    });
  });

  it('believes no gap that is only in the listing', async () => {
    const store = memoryStore(objectsOf(whole.ledger.receipts));
    const hidden = keyAt(whole.bookB, 1);
    const racing = {
      ...store,
      list: async (request: Parameters<typeof store.list>[0]) => (await store.list(request)).filter((key) => key !== hidden),
    };
    expect(await verifyLedger({ source: storeSource(racing), trust: null })).toMatchObject({ verdict: 'valid', receipts: 14 });
  });

  it('learns keys that were introduced while it ran', async () => {
    const small = await smallLedger();
    const objects = objectsOf(small.ledger.receipts);
    const store = memoryStore(objects);
    const listed = async (request: Parameters<typeof store.list>[0]) => {
      const keys = await store.list(request);
      if (request.prefix !== 'pixpax/') return keys;
      // The listing had passed the account when its key was rotated and used.
      const rotated = await small.ledger.rotateKey(small.a.accountId, small.anna, ANN);
      const saved = await small.ledger.save(small.bookA, { page: 5 });
      for (const stored of [rotated, saved]) objects.set(keyAt(stored.receipt.stream, stored.position), stored.bytes);
      return [...keys, keyAt(small.bookA, saved.position)].sort();
    };
    const growing = { ...store, list: listed };
    expect(await verifyLedger({ source: storeSource(growing), trust: null })).toMatchObject({ verdict: 'valid', receipts: 15 });
  });

  it('reads streams that have more receipts than a page has keys', async () => {
    const small = await smallLedger();
    for (let page = 0; page < limits.listPageKeys + 50; page++) await small.ledger.save(small.bookA, { page });
    const objects = objectsOf(small.ledger.receipts);
    const receipts = small.ledger.receipts.length;
    expect(await verifyMemory(objects)).toMatchObject({ verdict: 'valid', receipts, streams: 5 });
    expect(await verifyDirectory(objects)).toMatchObject({ verdict: 'valid', receipts, streams: 5 });
    objects.set(`${prefixOf(small.bookA)}/events/~odd`, Buffer.from('x'));
    expect(await verifyMemory(objects)).toMatchObject({ verdict: 'invalid', receipts, faults: [{ code: 'unexpected-object' }] });
  });
});
