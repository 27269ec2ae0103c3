import { createHash } from 'node:crypto';
import { limits } from '../../src/limits.ts';
import type { TaggedKey } from '../../src/port/receipt-store.ts';
import { parseEventId } from '../../src/receipt/ids.ts';
import { positionOf } from '../../src/receipt/key-path.ts';
import type { LedgerSource, StreamListing } from '../source.ts';

/** What lies under a stream's prefix, seen before any of it is read. */
export type StreamLook = {
  /** With its keys, unless they are many. */
  readonly listing: StreamListing;
  readonly objects: number;
  /** The position that the last key claims; -1 where there is none. */
  readonly last: number;
  /** SHA-256, 64 hex, over key and tag of every object; of no use where they are not the positions from 0 to `last`. */
  readonly tags: string;
  /** The same over the first `recorded` of them; null where there are not as many. */
  readonly tagsThen: string | null;
};

/** Lists a stream with its tags; `recorded` is how many objects it had when it was last verified. Throws `Outage`. */
export const lookAt = async (source: LedgerSource, listing: StreamListing, recorded: number): Promise<StreamLook> => {
  const digest = createHash('sha256');
  let keys: string[] | null = [];
  let objects = 0;
  let last: TaggedKey | undefined;
  let tagsThen: string | null = null;
  for await (const page of source.survey(listing)) {
    for (const tagged of page) {
      digest.update(`${tagged.key}\0${tagged.tag}\0`);
      objects += 1;
      if (objects === recorded) tagsThen = digest.copy().digest('hex');
      keys?.push(tagged.key);
      last = tagged;
    }
    if (objects > limits.replayBatchKeys) keys = null;
  }
  const seen = { prefix: listing.prefix, keys: listing.keys ?? keys };
  return { listing: seen, objects, last: claimedBy(last), tags: digest.digest('hex'), tagsThen };
};

const claimedBy = (last: TaggedKey | undefined): number => {
  const eventId = parseEventId(last?.key.slice(-(ULID_CHARS + JSON_SUFFIX.length), -JSON_SUFFIX.length));
  return eventId.ok ? positionOf(eventId.value) : -1;
};

const ULID_CHARS = 26;
const JSON_SUFFIX = '.json';
