import { type KeyObject, generateKeyPairSync } from 'node:crypto';
import { type MemoryObjects, memoryStore } from '../../src/adapter/memory/receipt-store.ts';
import { limits } from '../../src/limits.ts';
import type { PublicKeyId } from '../../src/receipt/ids.ts';
import type { StoredReceipt } from '../../src/receipt/receipt.ts';
import { granted } from '../../test/ledger-fixture.ts';
import type { SignedLedger } from '../../test/signed-ledger.ts';
import type { LedgerFault } from '../ledger-fault.ts';
import { storeSource } from '../store-source.ts';
import { objectsOf } from '../tampering.fixture.ts';
import { verifyLedger } from '../verify.ts';
import { verifyRecorded } from './verify-recorded.ts';

export const verifierKey = (): KeyObject => generateKeyPairSync('ec', { namedCurve: 'prime256v1' }).privateKey;

export type RunChoices = {
  readonly key?: KeyObject;
  readonly anew?: boolean;
  readonly trust?: PublicKeyId | null;
  readonly nowMs?: number;
};

/**
 * A ledger in one store, the records of its verification in another, and a clock that goes with the ledger's: a run takes place when all receipts have come to
 * rest, and those that are made after it are later.
 */
export const recordedLedger = ({ ledger }: { readonly ledger: Pick<SignedLedger, 'receipts' | 'nowMs' | 'waitUntil'> }) => {
  const objects: MemoryObjects = objectsOf(ledger.receipts);
  const records: MemoryObjects = new Map();
  const own = verifierKey();
  const reads: string[] = [];
  const store = memoryStore(objects);
  const source = storeSource({
    ...store,
    read: (key) => {
      reads.push(key);
      return store.read(key);
    },
  });

  const laterMs = (): number => {
    ledger.waitUntil(ledger.nowMs() + 2 * limits.redoOverdueMs);
    return ledger.nowMs();
  };
  const attempt = ({ key = own, anew = false, trust = null, nowMs = laterMs() }: RunChoices = {}, to = memoryStore(records)) => {
    reads.length = 0;
    return verifyRecorded({ source, trust, nowMs }, { store: to, key, anew });
  };
  return {
    objects,
    records,
    key: own,
    /** Keys that the last run has read. */
    reads,
    attempt,
    /** The run of a record that is believed. */
    run: async (choices: RunChoices = {}) => granted(await attempt(choices)),
    /** What has come since in the ledger, and of somebody else. */
    grow: (...others: readonly StoredReceipt[]) => {
      for (const [key, bytes] of objectsOf([...ledger.receipts, ...others])) objects.set(key, bytes);
    },
    full: () => verifyLedger({ source: storeSource(memoryStore(objects)), trust: null, nowMs: laterMs() }),
    manifests: () => [...records.keys()].filter((key) => key.endsWith('.json')).sort(),
    chunks: () => [...records.keys()].filter((key) => key.endsWith('.zst')),
  };
};

export type RecordedLedger = ReturnType<typeof recordedLedger>;

/** What a fault is and where, for comparing. */
export const namesOf = (faults: readonly LedgerFault[]) => faults.map(({ code, key }) => ({ code, key }));
