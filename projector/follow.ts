import pMap from 'p-map';
import { limits } from '../src/limits.ts';
import type { ReadModel } from '../src/port/read-model.ts';
import { project, tenantOf } from '../src/projection/project.ts';
import { headOf } from '../src/receipt/chain.ts';
import { type AccountId, OPERATOR_ACCOUNT_ID, type PublicKeyId } from '../src/receipt/ids.ts';
import { type KeyHistory, emptyKeyHistory } from '../src/receipt/key-history.ts';
import { keyAt, parsePrefix } from '../src/receipt/key-path.ts';
import type { Stream } from '../src/receipt/stream.ts';
import { readKeys } from './account-keys.ts';
import { addRecords } from './key-records.ts';
import type { LedgerFault } from './ledger-fault.ts';
import { type KeyNews, replayStream } from './replay-stream.ts';
import type { LedgerSource } from './source.ts';
import { type CheckedReceipt, type StreamCheck, openCheck } from './stream-check.ts';

/** Keeps a projection up with streams that go on growing. */
export type Follower = {
  /** Applies to the projection what the store has of these streams by now, and answers what is wrong with it. Throws `Outage`. */
  readonly advance: (prefixes: readonly string[]) => Promise<readonly LedgerFault[]>;
};

/** A stream that is being followed: its check is kept, so that each time only what is new is read. */
type Followed = { readonly stream: Stream; readonly check: StreamCheck; applied: number };

export const openFollower = (source: LedgerSource, trust: PublicKeyId | null, model: ReadModel): Follower => {
  const followed = new Map<string, Followed>();
  const advanceOne = async (prefix: string): Promise<readonly LedgerFault[]> => {
    const entry = followed.get(prefix) ?? (await open(source, trust, model, prefix));
    followed.set(prefix, entry);
    const { check } = entry;
    const tail: LedgerSource = check.next === 0 ? source : { ...source, pages: () => keysBehind(source, entry) };
    const report = await replayStream(tail, { prefix, keys: null }, check, {
      onReceipt: (checked) => applyNew(model, entry, checked),
      askForKeys: () => newKeys(source, trust, entry),
    });
    return report.faults;
  };
  return {
    advance: async (prefixes) => (await pMap(prefixes, advanceOne, { concurrency: limits.parallelStreams })).flat(),
  };
};

const open = async (source: LedgerSource, trust: PublicKeyId | null, model: ReadModel, prefix: string): Promise<Followed> => {
  const parsed = parsePrefix(prefix);
  if (!parsed.ok) throw new TypeError(`no stream has the prefix ${prefix}`);
  const stream = parsed.value;
  const keys: KeyHistory = emptyKeyHistory();
  const entry = { stream, check: openCheck(stream, keys, trust), applied: (await model.head(stream))?.position ?? -1 };
  await newKeys(source, trust, entry);
  return entry;
};

/** The keys of the accounts that a stream rests on. What a stream introduces itself, its own check learns. */
const newKeys = async (source: LedgerSource, trust: PublicKeyId | null, { stream, check }: Followed): Promise<KeyNews> => {
  const restsOn: AccountId[] = [];
  const tenant = tenantOf(stream);
  if (stream.type === 'account' && tenant === OPERATOR_ACCOUNT_ID) return 'final';
  if (stream.type !== 'account' && tenant !== null) restsOn.push(tenant);
  const read = await readKeys(source, trust, restsOn);
  if (!read.ok) return 'final';
  addRecords(check.keys, read.value);
  return 'again';
};

const applyNew = async (model: ReadModel, entry: Followed, { read }: CheckedReceipt): Promise<void> => {
  if (read.position <= entry.applied) return;
  const projected = project(read);
  if (!projected.ok) throw new TypeError(`a receipt that was checked cannot be projected: ${projected.error.detail}`);
  // What follows in other streams was written when the receipt was first applied, or will be when it is: not here.
  const outcome = await model.apply({ stream: entry.stream, head: headOf(read), projected: { ...projected.value, redo: [] } });
  if (outcome !== 'applied' && outcome !== 'already') throw new TypeError(`a fresh projection is ${outcome} in ${entry.check.prefix}`);
  entry.applied = read.position;
};

/** The computed keys behind what was checked, as long as there are objects under them. */
async function* keysBehind(source: LedgerSource, { stream, check }: Followed): AsyncIterable<readonly string[]> {
  for (;;) {
    const from = check.next;
    const keys = Array.from({ length: limits.pointReadGapReceipts }, (_, i) => keyAt(stream, from + i));
    const objects = await source.readMany(keys);
    const end = objects.indexOf(null);
    const there = end < 0 ? keys : keys.slice(0, end);
    if (there.length > 0) yield there;
    if (end >= 0 || check.next === from) return;
  }
}
