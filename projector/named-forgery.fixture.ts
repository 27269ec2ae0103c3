import { expect } from 'vitest';
import { memoryStore } from '../src/adapter/memory/receipt-store.ts';
import { keyAt } from '../src/receipt/key-path.ts';
import type { StoredReceipt } from '../src/receipt/receipt.ts';
import type { DomainLedger } from '../test/domain-ledger.ts';
import { audit } from './audit.ts';
import type { FaultCode } from './ledger-fault.ts';
import { storeSource } from './store-source.ts';
import { objectsOf } from './tampering.fixture.ts';
import { verifyLedger } from './verify.ts';

/** What a forger puts into the store; the last of it must be named, by this code. */
export type Forgery = readonly [
  what: string,
  code: FaultCode,
  forge: (d: DomainLedger) => Promise<StoredReceipt | readonly StoredReceipt[]>,
];

/** Both who look at a ledger name the last of these receipts, and nothing else. */
export const expectNamed = async ({ ledger }: DomainLedger, code: FaultCode, forged: readonly StoredReceipt[]): Promise<void> => {
  const store = memoryStore(objectsOf([...ledger.receipts, ...forged]));
  const { faults, verdict } = await verifyLedger({ source: storeSource(store), trust: ledger.trust });
  const last = forged.at(-1);
  const key = last === undefined ? '' : keyAt(last.receipt.stream, last.position);
  expect(faults).toEqual([expect.objectContaining({ code, key })]);
  expect(verdict).toBe(code === 'cited-missing' ? 'incomplete' : 'invalid');
  const found = await audit({ store, trust: ledger.trust, acknowledged: [], projections: [] });
  expect(found).toEqual([expect.objectContaining({ detail: expect.stringContaining(`${code}: `) })]);
};
