import { closeSync, constants, fstatSync, lstatSync, openSync, readSync, readdirSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { setImmediate } from 'node:timers/promises';
import { errnoOf, storeFault } from '../src/adapter/file/file-fault.ts';
import { tagOf } from '../src/adapter/file/object-tag.ts';
import { openFileStore } from '../src/adapter/file/receipt-store.ts';
import { limits } from '../src/limits.ts';
import { systemClock } from '../src/port/clock.ts';
import type { ReceiptStore, TaggedKey } from '../src/port/receipt-store.ts';
import { parseAccountId } from '../src/receipt/ids.ts';
import { isDerivedKey, parsePrefix } from '../src/receipt/key-path.ts';
import { type Found, type LedgerSource, type StreamListing, endOfStream } from './source.ts';

/** As the file store reads: neither follows a symbolic link nor waits on a named pipe. */
const READ_FLAGS = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK;

/**
 * Reads a ledger from a directory as fast as one thread can: it blocks the thread, so that there are no more than three calls of the
 * operating system to a receipt. `durable`: a receipt that its writer does not yet know to be on disk is made durable before it is
 * believed, which an audit need not do (and on a read-only medium could not), but whoever goes on from what it read must. Throws `Outage`.
 */
export const directorySource = async (directory: string, { durable }: { readonly durable: boolean }): Promise<LedgerSource> => {
  const root = resolve(directory);
  // A directory that is not there is a mistake here; opened for writing it would be made.
  let store = await openFileStore(root, { readOnly: true });
  if (durable) {
    await store.close();
    store = await openFileStore(root);
  }
  const shelf = openShelf();
  return {
    description: store.description,
    address: { location: { kind: 'file', directory: root }, credentials: null, durable },
    parallelStreams: 1,
    find: (below, after = '') => findBelow(root, below.slice(0, -1), after),
    pages: (listing) => pages(root, listing),
    survey: (listing) => survey(root, listing, shelf),
    readMany: (keys) => readMany(store, root, keys, durable, shelf),
    close: () => store.close(),
  };
};

const readMany = async (
  store: ReceiptStore,
  root: string,
  keys: readonly string[],
  durable: boolean,
  shelf: Shelf,
): Promise<readonly (Uint8Array | null)[]> => {
  await giveWay(shelf);
  const objects: (Uint8Array | null)[] = [];
  for (const key of keys) {
    const bytes = guarded(root, () => readWhole(`${root}/${key}`, durable, shelf));
    objects.push(bytes === 'unsettled' ? await store.read(key) : bytes);
  }
  return objects;
};

/** Nothing here waits, so that nobody else in this thread would ever get a turn. */
const giveWay = async (shelf: Shelf): Promise<void> => {
  if (performance.now() - shelf.yieldedMs <= limits.blockingReadsMs) return;
  await setImmediate();
  shelf.yieldedMs = performance.now();
};

/** Memory for many small objects, taken from the system in large pieces. A piece goes when the last object in it is forgotten. */
type Shelf = { piece: Buffer; used: number; yieldedMs: number };

/** One byte more than a receipt may have is enough to see that it is none. */
const ROOM_BYTES = limits.receiptBytes + 1;

const openShelf = (): Shelf => ({ piece: Buffer.alloc(0), used: 0, yieldedMs: 0 });

const readWhole = (path: string, durable: boolean, shelf: Shelf): Uint8Array | null | 'unsettled' => {
  const descriptor = openOrNull(path);
  if (descriptor === null) return null;
  try {
    if (durable && fstatSync(descriptor).nlink !== 1) return 'unsettled';
    if (shelf.piece.length - shelf.used < ROOM_BYTES)
      Object.assign(shelf, { piece: Buffer.allocUnsafeSlow(limits.readBufferBytes), used: 0 });
    const start = shelf.used;
    for (let read = -1; read !== 0 && shelf.used < start + ROOM_BYTES; shelf.used += read)
      read = readSync(descriptor, shelf.piece, shelf.used, start + ROOM_BYTES - shelf.used, null);
    return shelf.piece.subarray(start, shelf.used);
  } catch (error) {
    if (errnoOf(error) === 'EISDIR') return null;
    throw error;
  } finally {
    closeSync(descriptor);
  }
};

/** No file, a file where a directory should be, a symbolic link: all of them mean that there is no object. */
const openOrNull = (path: string): number | null => {
  try {
    return openSync(path, READ_FLAGS);
  } catch (error) {
    const code = errnoOf(error);
    if (code === 'ENOENT' || code === 'ENOTDIR' || code === 'ELOOP') return null;
    throw error;
  }
};

const guarded = <T>(root: string, work: () => T): T => {
  try {
    return work();
  } catch (error) {
    throw storeFault(error, root);
  }
};

async function* pages(root: string, { prefix, keys }: StreamListing): AsyncIterable<readonly string[]> {
  const shown = keys ?? guarded(root, () => keysOfStream(root, prefix));
  for (let at = 0; at < shown.length; at += limits.listPageKeys) yield shown.slice(at, at + limits.listPageKeys);
}

async function* survey(root: string, listing: StreamListing, shelf: Shelf): AsyncIterable<readonly TaggedKey[]> {
  for await (const page of pages(root, listing)) {
    await giveWay(shelf);
    yield guarded(root, () =>
      page.map((key) => {
        const facts = lstatSync(`${root}/${key}`, { bigint: true, throwIfNoEntry: false });
        return { key, tag: tagOf(facts ?? null, systemClock.now()) };
      }),
    );
  }
}

const keysOfStream = (root: string, prefix: string): readonly string[] => {
  const names = namesIn(`${root}/${prefix}/events`).sort();
  const beside = namesIn(`${root}/${prefix}`).filter((name) => name !== 'events');
  const strangers = names.length === 0 ? [prefix] : beside.map((name) => `${prefix}/${name}`);
  return [...names.map((name) => `${prefix}/events/${name}`), ...strangers.flatMap((place) => [...filesBelow(root, place)])];
};

const namesIn = (path: string): string[] => {
  try {
    return readdirSync(path);
  } catch (error) {
    const code = errnoOf(error);
    if (code === 'ENOENT' || code === 'ENOTDIR') return [];
    throw error;
  }
};

/** Streams below a place, behind the key `after`; of other directories, every file. */
async function* findBelow(root: string, place: string, after: string): AsyncIterable<Found> {
  if (parsePrefix(place).ok) {
    if (endOfStream(place) > after) yield { stream: listingOf(root, place) };
  } else if (mayHoldStreams(place)) {
    for (const name of guarded(root, () => namesIn(join(root, place)).sort()))
      if (mayLieBehind(`${place}/${name}`, after)) yield* findBelow(root, `${place}/${name}`, after);
  } else for (const key of filesBelow(root, place)) if (key > after) yield { unexpected: key };
}

/** Whether anything at or below a place may come after a key. */
const mayLieBehind = (place: string, after: string): boolean => place > after || after.startsWith(`${place}/`);

/** With its keys where they are few, so that whoever shares out streams knows how large they are. */
const listingOf = (root: string, prefix: string): StreamListing => {
  const keys = guarded(root, () => keysOfStream(root, prefix));
  return { prefix, keys: keys.length <= limits.listPageKeys ? keys : null };
};

const mayHoldStreams = (place: string): boolean => {
  const [root, kind, accountId, ...rest] = place.split('/');
  if (root !== 'pixpax' || rest.length > 0) return false;
  return accountId === undefined ? kind === undefined || KINDS.has(kind) : kind === 'pixbooks' && parseAccountId(accountId).ok;
};

const KINDS: ReadonlySet<string> = new Set(['pixbooks', 'accounts', 'collections', 'codes']);

/** Keys of the regular files at or below a place, derived objects left out. */
function* filesBelow(root: string, place: string): Iterable<string> {
  const facts = guarded(root, () => lstatSync(join(root, place), { throwIfNoEntry: false }));
  if (facts?.isFile() && !isDerivedKey(place)) yield place;
  if (facts?.isDirectory())
    for (const name of guarded(root, () => namesIn(join(root, place)).sort())) yield* filesBelow(root, `${place}/${name}`);
}
