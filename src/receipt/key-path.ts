import { hash } from 'node:crypto';
import { type Result, err, ok } from '../result.ts';
import {
  type EventId,
  type Sha256,
  crockford,
  crockfordOfHex,
  parseAccountId,
  parseBookId,
  parseCodeId,
  parseCollectionId,
  parseEventId,
} from './ids.ts';
import { type Stream, type StreamOf, accountStream, pixbookStream } from './stream.ts';

/** Every object of the ledger's truth is under this; derived objects live under other top-level names. */
export const LEDGER_ROOT = 'pixpax/';

/** Epoch of the logical clock in the 48-bit time field of an event id (receipt.md §3). */
const LOGICAL_EPOCH_MS = 1_700_000_000_000;

/** The largest position whose event id stays a valid ULID (48-bit time field). */
export const MAX_POSITION = 2 ** 48 - 1 - LOGICAL_EPOCH_MS;

/** The part of a stream's keys before `/events/`, without a trailing slash. Unique per stream: used as its name everywhere. */
export const prefixOf = (stream: Stream): string => {
  switch (stream.type) {
    case 'pixbook':
      return `${LEDGER_ROOT}pixbooks/${stream.accountId}/${stream.bookId}`;
    case 'account':
      return `${LEDGER_ROOT}accounts/${stream.accountId}`;
    case 'collection':
      return `${LEDGER_ROOT}collections/${stream.collectionId}`;
    case 'code':
      return `${LEDGER_ROOT}codes/${stream.codeId}`;
  }
};

/**
 * The event id at a position of a stream: 48-bit time field = 1 700 000 000 000 + position; 80-bit field = first 10 bytes
 * of SHA-256 of `pixpax/event-id/v1` NUL prefix NUL position-in-decimal. Two writers at one position always collide.
 * Throws RangeError when `position` is not an integer in 0…MAX_POSITION.
 */
export const eventIdAt = (stream: Stream, position: number): EventId => eventIdAtPrefix(prefixOf(stream), position);

/** As `eventIdAt`, from the prefix itself. */
export const eventIdAtPrefix = (prefix: string, position: number): EventId => {
  if (!Number.isSafeInteger(position) || position < 0 || position > MAX_POSITION)
    throw new RangeError(`position ${position} is not in 0…${MAX_POSITION}`);
  // As hex, because a Buffer takes longer to make than all the rest.
  const digest = hash('sha256', `pixpax/event-id/v1\0${prefix}\0${position}`, 'hex');
  const time = LOGICAL_EPOCH_MS + position;
  const high = Math.floor(time / 2 ** 32);
  // The operators take the low 32 bits, and the array the low 8 of those.
  const timeBytes = Uint8Array.of(high >>> 8, high, time >>> 24, time >>> 16, time >>> 8, time);
  return (crockford(timeBytes, 10) + crockfordOfHex(digest.slice(0, 20))) as EventId;
};

const CROCKFORD_VALUE = new Map([...'0123456789ABCDEFGHJKMNPQRSTVWXYZ'].map((char, value) => [char, value]));

/** The position an event id claims; may be negative for an id that no stream of ours can have. */
export const positionOf = (eventId: EventId): number => {
  let time = 0;
  for (const char of eventId.slice(0, 10)) time = time * 32 + (CROCKFORD_VALUE.get(char) ?? 0);
  return time - LOGICAL_EPOCH_MS;
};

/** The object key of a position: `{prefix}/events/{eventId}.json`. */
export const keyAt = (stream: Stream, position: number): string => keyOf(stream, eventIdAt(stream, position));

/** The object key of an event id in a stream. */
export const keyOf = (stream: Stream, eventId: EventId): string => `${prefixOf(stream)}/events/${eventId}.json`;

/** What a key under `pixpax/` names: the stream and the event id. The id is not checked against its position. */
export type KeyPath = { readonly stream: Stream; readonly eventId: EventId };

/** An object under `pixpax/` that is neither a receipt nor a known derived object. */
export type ForeignKey = { readonly code: 'foreign-key'; readonly key: string };

const EVENT_KEY = /^pixpax\/(?:(pixbooks)\/([^/]+)\/([^/]+)|(accounts|collections|codes)\/([^/]+))\/events\/([^/]+)\.json$/;

/** Takes an object key apart. Errors: `foreign-key` when the layout of receipt.md §2 has no such key. */
export const parseKey = (key: string): Result<KeyPath, ForeignKey> => {
  const parts = EVENT_KEY.exec(key);
  const eventId = parseEventId(parts?.[6]);
  const stream = parts && streamOf(parts[1] ?? parts[4], parts[2] ?? parts[5], parts[3]);
  return stream && eventId.ok ? ok({ stream, eventId: eventId.value }) : err({ code: 'foreign-key', key });
};

/** The stream with this prefix. Errors: `foreign-key`. */
export const parsePrefix = (prefix: string): Result<Stream, ForeignKey> => {
  const [root, kind, first, second, ...rest] = prefix.split('/');
  const stream = root === 'pixpax' && rest.length === 0 ? streamOf(kind, first, second) : null;
  return stream && prefixOf(stream) === prefix ? ok(stream) : err({ code: 'foreign-key', key: prefix });
};

const streamOf = (kind: string | undefined, first: string | undefined, second: string | undefined): Stream | null => {
  switch (kind) {
    case 'pixbooks': {
      const accountId = parseAccountId(first);
      const bookId = parseBookId(second);
      return accountId.ok && bookId.ok ? pixbookStream(accountId.value, bookId.value) : null;
    }
    case 'accounts': {
      const accountId = parseAccountId(first);
      return accountId.ok ? accountStream(accountId.value) : null;
    }
    case 'collections': {
      const collectionId = parseCollectionId(first);
      return collectionId.ok ? { type: 'collection', collectionId: collectionId.value } : null;
    }
    case 'codes': {
      const codeId = parseCodeId(first);
      return codeId.ok ? { type: 'code', codeId: codeId.value } : null;
    }
    default:
      return null;
  }
};

/** The key of a pixbook's snapshot, a derived object: `{prefix}/snapshot.json`. */
export const snapshotKeyOf = (stream: StreamOf<'pixbook'>): string => `${prefixOf(stream)}/snapshot.json`;

/** Derived objects that may lie among the truth and never decide it. */
export const isDerivedKey = (key: string): boolean => /^pixpax\/pixbooks\/[^/]+\/[^/]+\/snapshot\.json$/.test(key);

/** Art of cards is content-addressed and outside the ledger's streams: a receipt pins it by its hash. */
const ART_ROOT = 'art/sha256/';

/** The object key of art: `art/sha256/` and the 64 hex of its hash, which is SHA-256 of its bytes. */
export const artKeyOf = (hash: Sha256): string => `${ART_ROOT}${hash.slice('sha256:'.length)}`;
