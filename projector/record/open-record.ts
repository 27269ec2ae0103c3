import { limits } from '../../src/limits.ts';
import { systemClock, withDeadline } from '../../src/port/clock.ts';
import { Outage } from '../../src/port/outage.ts';
import type { ReceiptStore } from '../../src/port/receipt-store.ts';
import type { EventId, PublicKeyId } from '../../src/receipt/ids.ts';
import { type Result, err, ok } from '../../src/result.ts';
import { OPERATOR_PREFIX } from '../ledger-walk.ts';
import { chunkKey, openChunk } from './chunk.ts';
import { type Manifest, type Statement, parseManifest } from './manifest.ts';
import { manifestKey, newestName } from './record-name.ts';
import type { VerifiedStream } from './verified-stream.ts';

/** Why a record is not believed. Never a reason to verify without it: who can break a record must not make the alarm go silent. */
export type RecordFault = {
  readonly code: 'record-invalid' | 'record-key-other' | 'record-of-another-ledger';
  readonly detail: string;
};

/** A record whose every byte was checked. */
export type OpenedRecord = {
  readonly name: EventId;
  readonly manifest: Manifest;
  /** The operator's stream, which is verified before all others. */
  readonly operator: VerifiedStream | null;
  /** Every stream in order; reads the chunks again, one at a time. Throws `Outage`, also when a chunk has changed since. */
  readonly entries: () => AsyncGenerator<VerifiedStream, void, void>;
};

/** Whose word a record has to be: the verifier's own key, and the ledger under this fingerprint, if that is pinned. */
export type Demanded = { readonly signedBy: PublicKeyId; readonly trust: PublicKeyId | null };

/** The newest record in a place, checked whole; null where there is none. Throws `Outage`. */
export const openNewest = async (store: ReceiptStore, demanded: Demanded): Promise<Result<OpenedRecord | null, RecordFault>> => {
  const name = await newestName(store);
  if (name === null) return ok(null);
  const key = manifestKey(name);
  const bytes = await read(store, key);
  if (bytes === null) return invalid(`${key} is listed and cannot be read`);
  const manifest = parseManifest(bytes);
  if (!manifest.ok) return invalid(`${key}: ${manifest.error}`);
  const fault = faultOf(manifest.value, demanded, key);
  if (fault !== null) return err(fault);
  const { statement } = manifest.value;
  const checked = await checkChunks(store, statement);
  if (!checked.ok) return checked;
  const entries = () => entriesOf(store, statement);
  return ok({ name, manifest: manifest.value, operator: checked.value, entries });
};

const faultOf = ({ statement, signedBy }: Manifest, demanded: Demanded, key: string): RecordFault | null => {
  if (signedBy !== demanded.signedBy)
    return { code: 'record-key-other', detail: `${key} is signed by ${signedBy}, not by ${demanded.signedBy}` };
  if (demanded.trust !== null && statement.fingerprint !== demanded.trust)
    return {
      code: 'record-of-another-ledger',
      detail: `${key} is of the ledger ${statement.fingerprint}, not ${demanded.trust}`,
    };
  return null;
};

/** Reads every chunk once, to say at the start what is wrong. Holds one at a time. Answers the operator's entry. */
const checkChunks = async (store: ReceiptStore, statement: Statement): Promise<Result<VerifiedStream | null, RecordFault>> => {
  let operator: VerifiedStream | null = null;
  let before = '';
  let streams = 0;
  for (const chunk of statement.chunks) {
    const entries = await chunkEntries(store, chunk);
    if (entries === null) return invalid(`the chunk ${chunkKey(chunk.sha256)} is missing or was changed`);
    if ((entries[0]?.prefix ?? '') <= before) return invalid(`the chunk ${chunkKey(chunk.sha256)} is out of order`);
    before = entries.at(-1)?.prefix ?? before;
    streams += entries.length;
    operator = entries.find(({ prefix }) => prefix === OPERATOR_PREFIX) ?? operator;
  }
  return streams === statement.streams ? ok(operator) : invalid(`it holds ${streams} streams and says ${statement.streams}`);
};

async function* entriesOf(store: ReceiptStore, { chunks }: Statement): AsyncGenerator<VerifiedStream, void, void> {
  for (const chunk of chunks) {
    const entries = await chunkEntries(store, chunk);
    if (entries === null)
      throw new Outage('store', 'store-refused', `the chunk ${chunkKey(chunk.sha256)} of the record changed while it was used`);
    yield* entries;
  }
}

const chunkEntries = async (
  store: ReceiptStore,
  { sha256, streams }: Statement['chunks'][number],
): Promise<readonly VerifiedStream[] | null> => {
  const bytes = await read(store, chunkKey(sha256));
  const entries = bytes === null ? null : openChunk(bytes, sha256);
  return entries?.length === streams ? entries : null;
};

const read = (store: ReceiptStore, key: string): Promise<Uint8Array | null> =>
  withDeadline(systemClock, 'store', limits.storeTimeoutMs, () => store.read(key));

const invalid = (detail: string): Result<never, RecordFault> => err({ code: 'record-invalid', detail });
