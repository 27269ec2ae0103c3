import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { openFileStore } from '../src/adapter/file/receipt-store.ts';
import { type MemoryObjects, memoryStore } from '../src/adapter/memory/receipt-store.ts';
import { type AccountId, OPERATOR_ACCOUNT_ID } from '../src/receipt/ids.ts';
import { keyAt } from '../src/receipt/key-path.ts';
import { accountStream } from '../src/receipt/stream.ts';
import { granted } from '../test/ledger-fixture.ts';
import { directorySource } from './directory-source.ts';
import { exportAccount } from './export.ts';
import { importLedger } from './import.ts';
import { storeSource } from './store-source.ts';
import { type SmallLedger, objectsOf, setText, smallLedger } from './tampering.fixture.ts';
import { verifyLedger } from './verify.ts';

const exportTo = (objects: MemoryObjects, target: MemoryObjects, accountId: AccountId) =>
  exportAccount({ source: storeSource(memoryStore(objects)), accountId, to: memoryStore(target), trust: null });

const importTo = (objects: MemoryObjects, target: MemoryObjects) =>
  importLedger({ source: storeSource(memoryStore(objects)), to: memoryStore(target), trust: null });

const textsOf = (objects: MemoryObjects) =>
  new Map([...objects].map(([key, bytes]) => [key, Buffer.from(bytes).toString('utf8')]));

/** The keys that belong to an account, and the operator's. */
const keysOf = ({ ledger }: SmallLedger, accountId: AccountId) =>
  ledger.receipts
    .filter(({ receipt: { stream } }) => 'accountId' in stream && [accountId, OPERATOR_ACCOUNT_ID].includes(stream.accountId))
    .map(({ receipt, position }) => keyAt(receipt.stream, position))
    .sort();

describe('export and import', () => {
  it('carry a tenant from one store to another by way of a directory, byte for byte', async () => {
    const small = await smallLedger();
    const objects = objectsOf(small.ledger.receipts);
    const directory = mkdtempSync(join(tmpdir(), 'pixpax export '));
    try {
      const files = await openFileStore(directory);
      const { a } = small;
      const exported = await exportAccount({
        source: storeSource(memoryStore(objects)),
        accountId: a.accountId,
        to: files,
        trust: small.ledger.trust,
      });
      expect(granted(exported).copied).toEqual({ created: 9, there: 0, taken: [] });
      await files.close();

      const source = await directorySource(directory, { durable: false });
      expect(await verifyLedger({ source, trust: small.ledger.trust, threads: 0 })).toMatchObject({
        verdict: 'valid',
        receipts: 9,
        streams: 3,
      });
      const target: MemoryObjects = new Map();
      expect(granted(await importLedger({ source, to: memoryStore(target), trust: null })).copied).toEqual({
        created: 9,
        there: 0,
        taken: [],
      });
      await source.close();
      expect([...target.keys()].sort()).toEqual(keysOf(small, a.accountId));
      for (const [key, bytes] of target) expect(Buffer.compare(bytes, objects.get(key) ?? new Uint8Array())).toBe(0);
    } finally {
      rmSync(directory, { recursive: true, force: true });
    }
  });

  it('may be repeated, and go on where they were cut off', async () => {
    const small = await smallLedger();
    const objects = objectsOf(small.ledger.receipts);
    const target: MemoryObjects = new Map();
    granted(await exportTo(objects, target, small.b.accountId));
    expect(granted(await exportTo(objects, target, small.b.accountId)).copied).toEqual({ created: 0, there: 6, taken: [] });
    target.delete(keyAt(small.bookB, 2));
    expect(granted(await importTo(objects, target)).copied).toEqual({ created: 9, there: 5, taken: [] });
  });

  it('brings tenants together that were exported one by one', async () => {
    const small = await smallLedger();
    const objects = objectsOf(small.ledger.receipts);
    const target: MemoryObjects = new Map();
    granted(await exportTo(objects, target, small.a.accountId));
    granted(await exportTo(objects, target, small.b.accountId));
    expect(textsOf(target)).toEqual(textsOf(objects));
    const operator: MemoryObjects = new Map();
    granted(await exportTo(objects, operator, OPERATOR_ACCOUNT_ID));
    expect([...operator.keys()]).toEqual([keyAt(accountStream(OPERATOR_ACCOUNT_ID), 0)]);
  });

  it('never overwrite: other bytes under a key refuse all of it', async () => {
    const small = await smallLedger();
    const objects = objectsOf(small.ledger.receipts);
    const target: MemoryObjects = new Map([[keyAt(small.bookB, 1), Buffer.from('mine')]]);
    expect(await importTo(objects, target)).toEqual({ ok: false, error: { code: 'keys-taken', keys: [keyAt(small.bookB, 1)] } });
    expect(target.size).toBe(1);
  });

  it('write nothing of a ledger that is not valid', async () => {
    const small = await smallLedger();
    const objects = objectsOf(small.ledger.receipts);
    setText(objects, small.bookA, 2, '{}');
    const target: MemoryObjects = new Map();
    const refused = { ok: false, error: { code: 'ledger-not-valid', ledger: { faults: [{ key: keyAt(small.bookA, 2) }] } } };
    expect(await importTo(objects, target)).toMatchObject(refused);
    expect(await exportTo(objects, target, small.a.accountId)).toMatchObject(refused);
    expect(target.size).toBe(0);
    // The fault is another tenant's.
    expect(await exportTo(objects, target, small.b.accountId)).toMatchObject({ ok: true });
  });

  it('says when there is no such account', async () => {
    const { ledger } = await smallLedger();
    const nobody = `acc_${'0'.repeat(26)}` as AccountId;
    expect(await exportTo(objectsOf(ledger.receipts), new Map(), nobody)).toMatchObject({
      ok: false,
      error: { code: 'account-missing' },
    });
  });
});
