import { limits } from '../limits.ts';
import type { Clock } from '../port/clock.ts';
import { compareKeys } from '../port/key-order.ts';
import type { CreateOutcome, ReceiptStore } from '../port/receipt-store.ts';
import { type Result, err, ok } from '../result.ts';
import { fromStore } from './deadline.ts';

/** The store does not do what the ledger's safety rests on. `finding` says what was seen, for the operator. */
export type StoreNotQualified = { readonly code: 'store-not-qualified'; readonly finding: string };

/** One look at the store: null when all is well. */
type Check = (bench: Bench) => Promise<string | null>;

/** A scratch corner of the store, with deadlines, and a list of what to clear away. */
type Bench = {
  readonly key: (name: string) => string;
  readonly create: (key: string, bytes: Uint8Array) => Promise<CreateOutcome>;
  readonly read: (key: string) => Promise<Uint8Array | null>;
  readonly exists: (key: string) => Promise<boolean>;
  readonly list: (prefix: string, startAfter: string | undefined, limit: number) => Promise<readonly string[]>;
};

/**
 * Tries, in the scratch space `qualification/{nonce}/`, everything the append protocol relies on (receipt.md §5): a taken key
 * stays as it is; of `limits.qualificationRivals` concurrent creates exactly one wins; reads and lists see what was just made;
 * lists are sorted and page exactly; bytes come back unchanged. The service must not write to a store that fails. Always clears
 * its objects away as far as it can.
 *
 * `nonce`: 1 to 64 of `A-Z a-z 0-9 _ -`, never used before on this store, else TypeError. Errors: `store-not-qualified`. Throws
 * `Outage` when the store cannot be asked, which says nothing about its quality.
 */
export const qualifyStore = async (
  store: ReceiptStore,
  clock: Clock,
  nonce: string,
): Promise<Result<void, StoreNotQualified>> => {
  if (!/^[A-Za-z0-9_-]{1,64}$/.test(nonce)) throw new TypeError(`not a qualification nonce: ${JSON.stringify(nonce)}`);
  const made = new Set<string>();
  const bench = benchOf(store, clock, `qualification/${nonce}/`, made);
  try {
    for (const check of CHECKS) {
      const finding = await check(bench);
      if (finding !== null) return err({ code: 'store-not-qualified', finding });
    }
    return ok(undefined);
  } finally {
    await Promise.allSettled([...made].map((key) => fromStore({ clock }, () => store.discard(key))));
  }
};

const benchOf = (store: ReceiptStore, clock: Clock, prefix: string, made: Set<string>): Bench => ({
  key: (name) => prefix + name,
  create: async (key, bytes) => {
    made.add(key);
    // "Busy" is a fair answer to rivals, but not for ever.
    for (let attempt = 1; ; attempt += 1) {
      const outcome = await fromStore({ clock }, () => store.create(key, bytes));
      if (outcome !== 'busy' || attempt >= limits.putAttempts) return outcome;
      await clock.sleep(clock.random() * limits.backoffBaseMs * 2 ** attempt);
    }
  },
  read: (key) => fromStore({ clock }, () => store.read(key)),
  exists: (key) => fromStore({ clock }, () => store.exists(key)),
  list: (listPrefix, startAfter, limit) =>
    fromStore({ clock }, () => store.list({ prefix: listPrefix, limit, ...(startAfter === undefined ? {} : { startAfter }) })),
});

/**
 * Every byte there is, and a text with every length of UTF-8 sequence: what a store that transcodes, trims or compresses would
 * spoil.
 */
const ALL_BYTES = Uint8Array.from({ length: 256 }, (_, byte) => byte);
const RECEIPT_LIKE = Buffer.from(
  '{"createdAt":"2024-01-01T00:00:00.000Z","payload":{"name":"Ä œuvre — 漢字 🂡 \\u0001 &<>\\"","note":" \\r\\n "},"type":"SAVE"}',
);

const checkRoundTrip: Check = async (bench) => {
  for (const [name, bytes] of [
    ['bytes.json', ALL_BYTES],
    ['receipt.json', RECEIPT_LIKE],
  ] as const) {
    const key = bench.key(name);
    if ((await bench.read(key)) !== null || (await bench.exists(key)))
      return `the scratch key ${key} was in use before its first create, or the store shows objects that are not there`;
    const outcome = await bench.create(key, bytes);
    if (outcome !== 'created') return `the first create of ${key} answered "${outcome}" instead of "created"`;
    const seen = await freshObject(bench, key, bytes);
    if (seen !== null) return seen;
  }
  return null;
};

const UNREADABLE = 'an object just created could not be read: reads are not consistent after a create';

const freshObject = async (bench: Bench, key: string, bytes: Uint8Array): Promise<string | null> => {
  const found = await bench.read(key);
  if (found === null) return UNREADABLE;
  if (!same(found, bytes)) return `bytes were altered by the round trip: ${difference(found, bytes)}`;
  if (!(await bench.exists(key))) return 'an object just created was said not to exist: HEAD is not consistent after a create';
  const listed = await bench.list(key, undefined, 1);
  return listed[0] === key ? null : 'an object just created was missing from the listing: LIST is not consistent after a create';
};

const checkSecondCreate: Check = async (bench) => {
  const key = bench.key('second.json');
  const [first, second] = [Buffer.from('{"first":true}'), Buffer.from('{"second":true,"longer":true}')];
  await bench.create(key, first);
  for (const [bytes, what] of [
    [second, 'other bytes'],
    [first, 'the same bytes'],
  ] as const) {
    const outcome = await bench.create(key, bytes);
    if (outcome !== 'exists')
      return `a second create with ${what} answered "${outcome}" instead of "exists": the condition is ignored`;
    const found = await bench.read(key);
    if (found === null) return UNREADABLE;
    if (!same(found, first))
      return 'a second create was refused but changed the object all the same: what is acknowledged could be overwritten';
  }
  return null;
};

const checkRivals: Check = async (bench) => {
  const key = bench.key('rivals.json');
  const bids = Array.from({ length: limits.qualificationRivals }, (_, rival) => Buffer.from(`{"rival":${rival}}`));
  const outcomes = await settledAll(bids.map((bytes) => bench.create(key, bytes)));
  const winners = bids.filter((_, rival) => outcomes[rival] === 'created');
  if (winners.length !== 1)
    return `${bids.length} concurrent creates had ${winners.length} winners instead of exactly one: creates are not atomic`;
  const found = await bench.read(key);
  const [winner] = winners;
  if (found === null) return UNREADABLE;
  return winner && same(found, winner)
    ? null
    : `the object does not hold the bytes of the one create that won of ${bids.length}: a loser overwrote it`;
};

/**
 * In S3's order, which is not the order of a sorted directory: '-' and '.' come before '/', and capitals before small letters.
 */
const LISTED = ['A.json', 'a-b.json', 'a.json', 'a/b.json', 'a/b/c.json', 'a0.json', 'b/A.json', 'b/a.json', 'c.json'];

const checkListing: Check = async (bench) => {
  const prefix = bench.key('list/');
  const expected = LISTED.map((name) => prefix + name).sort(compareKeys);
  await bench.create(bench.key('list.json'), ALL_BYTES);
  await bench.create(bench.key('list0.json'), ALL_BYTES);
  await settledAll([...expected].reverse().map((key) => bench.create(key, ALL_BYTES)));

  const whole = await bench.list(prefix, undefined, limits.listPageKeys);
  const asSet = mismatch(new Set(whole), new Set(expected));
  if (asSet !== null) return `a listing right after creates ${asSet}`;
  if (whole.join('\n') !== expected.join('\n')) return `a listing was not sorted by the bytes of its keys: ${whole.join(', ')}`;
  return checkPaging(bench, prefix, expected);
};

const checkPaging = async (bench: Bench, prefix: string, expected: readonly string[]): Promise<string | null> => {
  for (let at = 0; at <= expected.length; at += 1) {
    const after = at === 0 ? undefined : expected[at - 1];
    const size = (at % 3) + 1;
    const page = await bench.list(prefix, after, size);
    if (page.join('\n') !== expected.slice(at, at + size).join('\n'))
      return `paging by start-after repeats or skips keys: ${size} after ${after ?? 'the start'} gave ${page.join(', ')}`;
  }
  // A key that is not there: the reader's usual question, "anything after the head I know?", must not need the head itself.
  const between = await bench.list(prefix, `${prefix}a/b.jsoM`, 2);
  return between.join('\n') === expected.slice(3, 5).join('\n')
    ? null
    : 'start-after with a key that does not exist skips or repeats keys';
};

const CHECKS: readonly Check[] = [checkRoundTrip, checkSecondCreate, checkRivals, checkListing];

/** All answers, or the first error, but only when nothing is under way any more: what is made late could not be cleared away. */
const settledAll = async <T>(calls: readonly Promise<T>[]): Promise<T[]> => {
  await Promise.allSettled(calls);
  return Promise.all(calls);
};

const same = (a: Uint8Array, b: Uint8Array): boolean => Buffer.compare(a, b) === 0;

const difference = (found: Uint8Array, expected: Uint8Array): string => {
  if (found.length !== expected.length) return `${expected.length} bytes were written, ${found.length} came back`;
  return `byte ${expected.findIndex((byte, at) => byte !== found[at])} came back changed`;
};

const mismatch = (found: ReadonlySet<string>, expected: ReadonlySet<string>): string | null => {
  const missing = [...expected].filter((key) => !found.has(key));
  if (missing.length > 0) return `lacked ${missing.join(', ')}`;
  const surplus = [...found].filter((key) => !expected.has(key));
  return surplus.length > 0 ? `held keys that do not belong there: ${surplus.join(', ')}` : null;
};
