import { limits } from '../src/limits.ts';
import { Outage } from '../src/port/outage.ts';
import { type AccountId, parseEventId } from '../src/receipt/ids.ts';
import { eventIdAtPrefix, positionOf } from '../src/receipt/key-path.ts';
import { readReceipt } from '../src/receipt/read.ts';
import type { Judgement } from './judgement.ts';
import { type LedgerFault, missing, unexpectedObject } from './ledger-fault.ts';
import type { LedgerSource, StreamListing } from './source.ts';
import {
  type CheckFault,
  type CheckedReceipt,
  type StreamCheck,
  accountsBehind,
  checkNext,
  isAboutKeys,
  skipGap,
} from './stream-check.ts';

/** What is done with each receipt of a stream, in order, once it is known to be true in it, whatever is to be said of what it cites. */
export type ReceiptHandler = (checked: CheckedReceipt) => void | Promise<void>;

/** What came of one stream. */
export type StreamReport = {
  readonly prefix: string;
  /** Receipts that are true in their place, as far as that can be known behind a gap, and together with what they cite, if that was asked. */
  readonly receipts: number;
  /** Receipts of which nothing, or not everything, can be said, because of a fault before them or in a stream they rest on. */
  readonly unverifiable: number;
  readonly faults: readonly LedgerFault[];
  /** Whether every object of the stream was seen and is true: nothing missing, nothing foreign. */
  readonly whole: boolean;
};

/**
 * What is known of the streams that a receipt's signature rests on (the operator's and those of some accounts) when a key is not known or was
 * not valid: `again`, they may have more receipts than when they were read, and `check.keys` has learned them; `untrue`, they are
 * themselves at fault, so that nothing can be said here; `final`, there is nothing more to learn.
 */
export type KeyNews = 'again' | 'untrue' | 'final';

export type ReplayRules = {
  readonly onReceipt?: ReceiptHandler | undefined;
  readonly askForKeys: (check: StreamCheck, accountIds: readonly AccountId[]) => Promise<KeyNews>;
  /** Looks at a receipt together with what it cites in other streams; null for one that cites nothing. Left out, nobody looks. */
  readonly judge?: ((checked: CheckedReceipt, check: StreamCheck) => Promise<Judgement> | null) | undefined;
};

type Run = {
  readonly source: LedgerSource;
  readonly check: StreamCheck;
  readonly rules: ReplayRules;
  readonly faults: LedgerFault[];
  /** The fault behind which nothing, or not everything, can be said. */
  cause: LedgerFault | null;
  receipts: number;
  unverifiable: number;
  stopped: boolean;
  /** The position for which keys were asked for: once is enough. */
  askedAt: number;
};

/**
 * The one loop over a stream: every object in order, each checked in its place, until one is not true. What is missing is passed
 * over, and what follows is checked as far as it can be, but handed to nobody. Throws `Outage`, and what the handler throws.
 */
export const replayStream = async (
  source: LedgerSource,
  listing: StreamListing,
  check: StreamCheck,
  rules: ReplayRules,
): Promise<StreamReport> => {
  const run: Run = { source, check, rules, faults: [], cause: null, receipts: 0, unverifiable: 0, stopped: false, askedAt: -1 };
  for await (const page of source.pages(listing))
    for (let at = 0; at < page.length; at += limits.parallelReads) await takeKeys(run, page.slice(at, at + limits.parallelReads));
  return {
    prefix: check.prefix,
    receipts: run.receipts,
    unverifiable: run.unverifiable,
    faults: run.faults.map((fault) => (fault === run.cause ? { ...fault, unverifiable: run.unverifiable } : fault)),
    whole: run.faults.length === 0 && run.unverifiable === 0,
  };
};

type Reading = ReturnType<typeof readReceipt>;

const takeKeys = async (run: Run, keys: readonly string[]): Promise<void> => {
  const objects = run.stopped ? [] : await run.source.readMany(keys);
  // All are read before any signature is checked: the arithmetic of signatures drives everything else out of the processor's caches.
  const readings = objects.map((bytes, i) => (bytes === null ? null : readReceipt(bytes, keys[i] ?? '')));
  for (let i = 0; i < keys.length; i++) {
    const taken = takeObject(run, keys[i] ?? '', readings[i] ?? null);
    // Nearly always there is nothing to wait for, and waiting for nothing costs as much as reading the file.
    if (taken !== undefined) await taken;
  }
};

const takeObject = (run: Run, key: string, reading: Reading | null): void | Promise<void> => {
  const { check } = run;
  const position = positionIn(check.prefix, key);
  if (position === null) return void run.faults.push(unexpectedObject(key, check.prefix));
  if (run.stopped) {
    run.unverifiable += 1;
    return;
  }
  if (position !== check.next || reading === null) return takeOutOfTurn(run, key, position, reading);
  const wasWhole = check.state !== null;
  const checked = checkNext(check, key, reading);
  if (!checked.ok) return refuse(run, key, reading, checked.error);
  const judging = wasWhole ? (run.rules.judge?.(checked.value, check) ?? null) : null;
  if (judging !== null) return judging.then((judgement) => takeJudged(run, checked.value, judgement));
  run.receipts += 1;
  return wasWhole ? run.rules.onReceipt?.(checked.value) : undefined;
};

/** The stream goes on, whatever is wrong between it and others: the fault is this receipt's alone. */
const takeJudged = (run: Run, checked: CheckedReceipt, judgement: Judgement): void | Promise<void> => {
  const { key, read } = checked;
  if (judgement === null) run.receipts += 1;
  else if (judgement === 'unverifiable') run.unverifiable += 1;
  else
    run.faults.push({
      ...{ key, stream: run.check.prefix, position: read.position, lastPosition: read.position },
      ...{ code: judgement.code, detail: judgement.detail, unverifiable: 0 },
    });
  return run.rules.onReceipt?.(checked);
};

/** The position that a key of this stream claims; null for any other key. */
const positionIn = (prefix: string, key: string): number | null => {
  const eventId = parseEventId(key.slice(prefix.length + EVENTS.length, -JSON_SUFFIX.length));
  if (!eventId.ok || !key.startsWith(EVENTS, prefix.length) || !key.endsWith(JSON_SUFFIX)) return null;
  const position = positionOf(eventId.value);
  return position < 0 ? null : position;
};

const EVENTS = '/events/';
const JSON_SUFFIX = '.json';

const keyIn = (prefix: string, position: number): string =>
  `${prefix}${EVENTS}${eventIdAtPrefix(prefix, position)}${JSON_SUFFIX}`;

const takeOutOfTurn = async (run: Run, key: string, position: number, reading: Reading | null): Promise<void> => {
  const { check, source } = run;
  if (key !== keyIn(check.prefix, position)) return void run.faults.push(unexpectedObject(key, check.prefix));
  if (position < check.next) throw new Outage('store', 'store-refused', `${source.description} lists keys out of order`);
  // A receipt that was appended while the keys were listed may be missing from the list alone.
  while (check.next < position && !run.stopped) {
    const passed = keyIn(check.prefix, check.next);
    const [found] = await source.readMany([passed]);
    if (!found) passOver(run, position - 1);
    else await takeObject(run, passed, readReceipt(found, passed));
  }
  if (reading === null && !run.stopped) return passOver(run, position);
  await takeObject(run, key, reading);
};

const passOver = (run: Run, lastPosition: number): void => {
  const fault = missing(run.check.prefix, run.check.next, lastPosition);
  run.faults.push(fault);
  run.cause ??= fault;
  skipGap(run.check, lastPosition + 1);
};

const refuse = async (run: Run, key: string, reading: Reading, { code, detail }: CheckFault): Promise<void> => {
  const { check, rules } = run;
  const position = check.next;
  if (key !== keyIn(check.prefix, position)) return void run.faults.push(unexpectedObject(key, check.prefix));
  if (isAboutKeys(code)) {
    const asked = run.askedAt === position || !reading.ok;
    const news = asked ? 'final' : await rules.askForKeys(check, accountsBehind(check, reading.value.receipt));
    if (news === 'again') {
      run.askedAt = position;
      return takeObject(run, key, reading);
    }
    if (news === 'untrue' || check.state === null) return stop(run, null);
  }
  stop(run, { key, stream: check.prefix, position, lastPosition: position, code, detail, unverifiable: 0 });
};

/** Without a fault of its own, the receipt is the first of those of which nothing can be said. */
const stop = (run: Run, fault: LedgerFault | null): void => {
  run.stopped = true;
  if (fault === null) run.unverifiable += 1;
  else {
    run.faults.push(fault);
    run.cause = fault;
  }
};
