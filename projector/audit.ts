import type { ReceiptStore } from '../src/port/receipt-store.ts';
import { project } from '../src/projection/project.ts';
import type { ProjectedTable } from '../src/projection/row-change.ts';
import { type TableDump, changeRow, dumpRows, headRowOf, noRows, projectedTables, rowKeyOf } from '../src/projection/rows.ts';
import { type Head, headOf, nextPosition } from '../src/receipt/chain.ts';
import type { EventId, IdempotencyKey, PublicKeyId, ReceiptHash } from '../src/receipt/ids.ts';
import { type KeyHistory, emptyKeyHistory, learnKeys } from '../src/receipt/key-history.ts';
import { LEDGER_ROOT, isDerivedKey, keyAt, parseKey, prefixOf } from '../src/receipt/key-path.ts';
import type { StoredReceipt } from '../src/receipt/receipt.ts';
import type { Stream } from '../src/receipt/stream.ts';
import { verifyGenesis, verifyReceipt } from '../src/receipt/verify.ts';
import { type StreamState, emptyStream } from '../src/stream/fold.ts';
import { replayStep } from '../src/stream/replay-step.ts';
import { type ReadStream, domainFindings } from './audit-domain.ts';

/** What a client was told. */
export type Acknowledgement = {
  readonly stream: Stream;
  readonly idempotencyKey: IdempotencyKey;
  readonly eventId: EventId;
  readonly hash: ReceiptHash;
};

/** A broken invariant of receipt.md §4, or (`domain`) a receipt that does not say what the ones it cites in other streams say. */
export type Finding = { readonly invariant: 'I1' | 'I2' | 'I3' | 'I4' | 'I5' | 'domain'; readonly detail: string };

export type AuditInput = {
  readonly store: ReceiptStore;
  readonly trust: PublicKeyId | null;
  readonly acknowledged: readonly Acknowledgement[];
  /** Every projection of the store that there is. */
  readonly projections: readonly AuditedProjection[];
  /** What time it is, in milliseconds since 1970: trades accepted longer ago than the grace of the redo worker must be settled. */
  readonly nowMs?: number | undefined;
};

export type AuditedProjection = {
  readonly dump: { readonly [T in ProjectedTable]: TableDump };
  /** Whether it must have everything; otherwise streams may lag behind the store. */
  readonly caughtUp: boolean;
};

type Audited = ReadStream;

/**
 * Checks the five invariants over a store and a projection, and the domain over all streams, from the receipts up; shares no code with the
 * write path. Reads the whole
 * ledger into memory: for tests and small ledgers, `verify` is for large ones. An empty list is a clean audit.
 */
export const audit = async (input: AuditInput): Promise<readonly Finding[]> => {
  const findings: Finding[] = [];
  const streams = await readStreams(input, findings);
  checkAcknowledged(input, streams, findings);
  checkIdempotency(streams, findings);
  for (const detail of await domainFindings(streams, input.nowMs ?? null)) findings.push({ invariant: 'domain', detail });
  for (const projection of input.projections) checkProjection(projection, streams, findings);
  return findings;
};

const listAll = async (store: ReceiptStore): Promise<readonly string[]> => {
  const keys: string[] = [];
  for (;;) {
    const startAfter = keys.at(-1);
    const page = await store.list({ prefix: LEDGER_ROOT, limit: 1000, ...(startAfter === undefined ? {} : { startAfter }) });
    keys.push(...page);
    if (page.length < 1000) return keys;
  }
};

/** I1: every object is the one computed key of the next position of its stream, chained, signed and allowed. */
const readStreams = async ({ store, trust }: AuditInput, findings: Finding[]): Promise<Map<string, Audited>> => {
  const byStream = new Map<string, { stream: Stream; keys: string[] }>();
  for (const key of await listAll(store)) {
    const path = parseKey(key);
    if (!path.ok) {
      if (!isDerivedKey(key)) findings.push({ invariant: 'I1', detail: `${key} has no place in the ledger` });
      continue;
    }
    const prefix = prefixOf(path.value.stream);
    const known = byStream.get(prefix) ?? { stream: path.value.stream, keys: [] };
    known.keys.push(key);
    byStream.set(prefix, known);
  }
  const keyHistory = emptyKeyHistory();
  const audited = new Map<string, Audited>();
  const operatorFirst = [...byStream].sort(([a], [b]) => rank(a) - rank(b) || (a < b ? -1 : 1));
  for (const [prefix, { stream, keys }] of operatorFirst)
    audited.set(prefix, { stream, ...(await readStream(store, trust, stream, keys, keyHistory, findings)) });
  return audited;
};

const rank = (prefix: string): number =>
  prefix === 'pixpax/accounts/acc_operator' ? 0 : prefix.startsWith('pixpax/accounts/') ? 1 : 2;

const readStream = async (
  store: ReceiptStore,
  trust: PublicKeyId | null,
  stream: Stream,
  keys: readonly string[],
  keyHistory: KeyHistory,
  findings: Finding[],
): Promise<Pick<Audited, 'receipts' | 'states'>> => {
  const receipts: StoredReceipt[] = [];
  const states: StreamState[] = [];
  let head: Head | null = null;
  let state = emptyStream(stream);
  for (const key of keys) {
    const forked = (detail: string): void => void findings.push({ invariant: 'I1', detail: `${key}: ${detail}` });
    if (key !== keyAt(stream, nextPosition(head))) {
      forked(`not the computed key of position ${nextPosition(head)}`);
      continue;
    }
    const bytes = await store.read(key);
    if (bytes === null) {
      forked('listed, but not there');
      break;
    }
    const genesis = stream.type === 'account' && rank(prefixOf(stream)) === 0 && head === null;
    const anchor = genesis ? verifyGenesis(bytes, key, keyHistory, trust) : null;
    const verified =
      anchor === null
        ? verifyReceipt(bytes, key, head, keyHistory)
        : anchor.ok
          ? { ok: true as const, value: anchor.value.genesis }
          : anchor;
    if (!verified.ok) {
      forked(`${verified.error.code}: ${verified.error.detail}`);
      break;
    }
    const step = replayStep(state, verified.value.receipt, keyHistory);
    const learned = genesis || !step.ok ? null : learnKeys(keyHistory, verified.value);
    if (!step.ok || learned?.ok === false) {
      forked(step.ok ? 'a key event that does not fit' : `${step.error.code}: ${step.error.detail}`);
      break;
    }
    receipts.push(verified.value);
    head = headOf(verified.value);
    state = step.value.state;
    states.push(state);
  }
  return { receipts, states };
};

/** I2: what was acknowledged is in the store, as acknowledged. */
const checkAcknowledged = ({ acknowledged }: AuditInput, streams: Map<string, Audited>, findings: Finding[]): void => {
  const answers = new Map<string, EventId>();
  for (const { stream, idempotencyKey, eventId, hash } of acknowledged) {
    const prefix = prefixOf(stream);
    const stored = streams.get(prefix)?.receipts.find(({ receipt }) => receipt.eventId === eventId);
    if (stored?.receipt.hash !== hash || stored.receipt.idempotencyKey !== idempotencyKey)
      findings.push({ invariant: 'I2', detail: `${prefix}: ${eventId} was acknowledged and is not in the store as it was` });
    const answer = `${prefix} ${idempotencyKey}`;
    const earlier = answers.get(answer);
    if (earlier !== undefined && earlier !== eventId)
      findings.push({
        invariant: 'I3',
        detail: `${prefix}: key ${idempotencyKey} was answered with ${earlier} and with ${eventId}`,
      });
    answers.set(answer, eventId);
  }
};

/** I3: at most one receipt per stream and idempotency key. */
const checkIdempotency = (streams: Map<string, Audited>, findings: Finding[]): void => {
  for (const [prefix, { receipts }] of streams) {
    const seen = new Map<IdempotencyKey, EventId>();
    for (const { receipt } of receipts) {
      const first = seen.get(receipt.idempotencyKey);
      if (first !== undefined)
        findings.push({ invariant: 'I3', detail: `${prefix}: ${first} and ${receipt.eventId} have one idempotency key` });
      seen.set(receipt.idempotencyKey, receipt.eventId);
    }
  }
};

/** I4 and I5: the projection is exactly what the receipts up to its heads make, and its heads are in the store. */
const checkProjection = ({ dump, caughtUp }: AuditedProjection, streams: Map<string, Audited>, findings: Finding[]): void => {
  const applied = new Map(dump.receipts.map((row) => [String(row.event_id), row]));
  const stored = new Map([...streams.values()].flatMap(({ receipts }) => receipts.map((r) => [String(r.receipt.eventId), r])));
  for (const [eventId, row] of applied)
    if (stored.get(eventId)?.receipt.hash !== row.hash)
      findings.push({ invariant: 'I5', detail: `${eventId} is applied and not in the store` });

  const expected = noRows();
  for (const [prefix, { stream, receipts }] of streams) {
    for (const receipt of receipts) {
      if (!applied.has(receipt.receipt.eventId)) {
        if (caughtUp) findings.push({ invariant: 'I4', detail: `${prefix}: ${receipt.receipt.eventId} is not applied` });
        break;
      }
      const projected = project(receipt);
      if (!projected.ok) throw new Error(projected.error.detail);
      for (const change of projected.value.changes) {
        const changed = changeRow(expected, change);
        if (!changed.ok) findings.push({ invariant: 'I4', detail: `${prefix}: ${changed.error.detail} cannot be replayed` });
      }
      const head = headRowOf(stream, headOf(receipt));
      expected[head.table].set(rowKeyOf(head.table, head.row), head.row);
    }
  }
  const rebuilt = dumpRows(expected);
  for (const table of projectedTables)
    if (asSet(rebuilt[table]) !== asSet(dump[table]))
      findings.push({ invariant: 'I4', detail: `${table} is not what the receipts make` });
};

/** A table as one text that does not depend on the order of rows or columns. */
const asSet = (table: TableDump): string =>
  table
    .map((row) => JSON.stringify(Object.entries(row).sort(([a], [b]) => (a < b ? -1 : 1))))
    .sort()
    .join('\n');
