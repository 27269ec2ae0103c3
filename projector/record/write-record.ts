import type { KeyObject } from 'node:crypto';
import { limits } from '../../src/limits.ts';
import { systemClock, withDeadline } from '../../src/port/clock.ts';
import { Outage } from '../../src/port/outage.ts';
import type { ReceiptStore } from '../../src/port/receipt-store.ts';
import { type EventId, instantOf } from '../../src/receipt/ids.ts';
import { chunkKey, sealChunk } from './chunk.ts';
import { type Statement, sealManifest } from './manifest.ts';
import { manifestKey, newestName, nextName } from './record-name.ts';

export type Written = Omit<Statement, 'version' | 'chunks' | 'streams' | 'createdAt'> & {
  /** Of each stream, in any order (see `lineOf`). Sorted in place. */
  readonly lines: string[];
  readonly key: KeyObject;
};

/**
 * Writes a record: its chunks, then the manifest that makes it one. Nothing is ever overwritten. A crash in between leaves chunks that no manifest
 * names, harmless, and found again if the same come up once more. Two that write at once both do, and the later name counts. Throws
 * `Outage`; then the record may be there or not, and either will do.
 */
export const writeRecord = async (store: ReceiptStore, { lines, key, ...told }: Written): Promise<EventId> => {
  lines.sort();
  const chunks: Statement['chunks'] = [];
  for (let at = 0; at < lines.length; at += limits.recordChunkStreams) {
    const some = lines.slice(at, at + limits.recordChunkStreams);
    const { sha256, bytes } = sealChunk(some);
    await create(store, chunkKey(sha256), bytes);
    chunks.push({ sha256, streams: some.length });
  }
  const nowMs = systemClock.now();
  const name = nextName(await newestName(store), nowMs);
  const statement: Statement = { version: 1, ...told, createdAt: instantOf(nowMs), chunks, streams: lines.length };
  // The commit point: before it the older record counts, after it this one.
  await create(store, manifestKey(name), sealManifest(statement, key));
  return name;
};

/** `exists` is as good as made: a key says what its bytes are, and a manifest's is nobody else's. Readers check that it is so. */
const create = async (store: ReceiptStore, key: string, bytes: Uint8Array): Promise<void> => {
  for (let attempt = 1; attempt <= limits.putAttempts; attempt++) {
    const outcome = await withDeadline(systemClock, 'store', limits.storeTimeoutMs, () => store.create(key, bytes));
    if (outcome !== 'busy') return;
  }
  throw new Outage('store', 'store-unavailable', `${key} of the record is being written by somebody else`);
};
