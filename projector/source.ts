import type { S3Credentials, StoreLocation } from '../src/adapter/store-url.ts';
import type { TaggedKey } from '../src/port/receipt-store.ts';
import type { RecordedStream } from './record/verified-stream.ts';
import type { SegmentUse } from './segment/segment-fault.ts';

/** One stream to be read: its prefix, and its keys in order where the listing that found it has shown them all. */
export type StreamListing = {
  readonly prefix: string;
  readonly keys: readonly string[] | null;
  /** The tags of `keys`, in the same order, where they were asked for and came with them. */
  readonly tags?: readonly string[] | undefined;
  /** What a verification record says of the stream, where there is one. */
  readonly recorded?: RecordedStream | undefined;
};

/** A stream, or an object that belongs to none. */
export type Found = { readonly stream: StreamListing } | { readonly unexpected: string };

/** How another thread opens the same source. `durable` as in `openSource`. */
export type SourceAddress = {
  readonly location: StoreLocation;
  readonly credentials: S3Credentials | null;
  readonly durable: boolean;
  /**
   * What to do with the store's segments. `use`, the default: read them in place of events. `ignore`: read events alone. `compare`: read both,
   * and hold one against the other.
   */
  readonly segments?: 'use' | 'ignore' | 'compare' | undefined;
};

/**
 * Where a ledger is read: the reading half of a receipt store, cut to what a verifier needs. Every call may throw `Outage`.
 *
 * Receipts may be added while it is read. What was there when `find` or `pages` began is shown; what came later may be shown, and then not
 * necessarily together with what came before it: who misses a position asks for it by its key.
 */
export interface LedgerSource {
  /** For people; holds no credential. */
  readonly description: string;
  /** Null when no other thread can open it. */
  readonly address: SourceAddress | null;
  /** Streams worth reading at the same time in one thread. */
  readonly parallelStreams: number;
  /**
   * Everything below a place, given with its trailing slash (`pixpax/accounts/`, or one stream's), in the order of keys; with `after`, only
   * what comes after that key. Lazy: holds a page at a time. `tagged`: where keys are shown, their tags are too, if they cost nothing.
   */
  find(below: string, after?: string, tagged?: boolean): AsyncIterable<Found>;
  /**
   * The keys of one stream in order, a page at a time; among them whatever else lies below its prefix, derived objects left out.
   * A listing that came with keys is answered from them.
   */
  pages(listing: StreamListing): AsyncIterable<readonly string[]>;
  /** What `pages` shows of a stream, each key with its tag (as the port of the receipt store has it). From the listing, where that has both. */
  survey(listing: StreamListing): AsyncIterable<readonly TaggedKey[]>;
  /** The exact bytes of each object, null where there is none. At most `limits.parallelReads` keys. */
  readMany(keys: readonly string[]): Promise<readonly (Uint8Array | null)[]>;
  /** What came of segments since this was last asked; not there where events alone are read. */
  takeSegmentUse?(): SegmentUse;
  /**
   * Which bundle a stream's first receipts are read from, where there are bundles: streams of one are best read by one reader, one after the
   * other. Null for a stream that is in none.
   */
  readonly placeOf?: (prefix: string) => number | null;
  close(): Promise<void>;
}

/** After every key that a position of this stream can have, and before the next stream's: where a walk goes on behind it. */
export const endOfStream = (prefix: string): string => `${prefix}/events/~`;
