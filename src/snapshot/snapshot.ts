import { z } from 'zod';
import { limits } from '../limits.ts';
import { canonicalBytes, parseCanonical } from '../receipt/canonical.ts';
import { receiptHashOf } from '../receipt/hash.ts';
import {
  type ReceiptHash,
  bookIdFor,
  parseAccountId,
  parseBookId,
  parseEventId,
  parseIdentityId,
  parseInstant,
  parsePublicKeyId,
  parseReceiptHash,
} from '../receipt/ids.ts';
import { type Json, type JsonObject, isJsonObject } from '../receipt/json.ts';
import { eventIdAt, prefixOf } from '../receipt/key-path.ts';
import type { Issuer } from '../receipt/receipt.ts';
import { parseSignature, signatureText } from '../receipt/signature.ts';
import type { StreamOf } from '../receipt/stream.ts';
import { type Result, err, ok } from '../result.ts';
import { branded } from '../stream/branded.ts';
import { PROJECTOR_VERSION } from '../stream/event.ts';
import type { BookAt } from './book-at.ts';
import { bookForm, formOfState, shownForm, stateOfForm } from './snapshot-book.ts';

/** The version of the shape, apart from that of the rules (`projectorVersion`). */
const FORMAT = 'pixpax/pixbook-snapshot/v1';

const snapshotForm = z.strictObject({
  format: z.literal(FORMAT),
  projectorVersion: z.literal(PROJECTOR_VERSION),
  stream: z.strictObject({
    type: z.literal('pixbook'),
    accountId: branded(parseAccountId),
    bookId: branded(parseBookId),
  }),
  head: z.strictObject({
    position: z.int().min(0),
    eventId: branded(parseEventId),
    hash: branded(parseReceiptHash),
    createdAt: branded(parseInstant),
  }),
  book: bookForm,
  shown: shownForm,
  issuer: z.strictObject({ identityId: branded(parseIdentityId), publicKeyId: branded(parsePublicKeyId) }),
  hash: branded(parseReceiptHash),
  signature: z.string(),
});

/** Why bytes are not a snapshot to go by, before anything else is asked. */
export type SnapshotFormFault = {
  readonly code:
    | 'too-large'
    | 'not-canonical'
    | 'other-version'
    | 'members'
    | 'other-stream'
    | 'hash-mismatch'
    | 'signature-form';
  readonly detail: string;
};

/** A strictly read snapshot. Whether its word is the operator's, and true, is not decided here. */
export type ReadSnapshot = {
  readonly book: BookAt;
  readonly issuer: Issuer;
  /** The bytes that the signature signs, and the signature as 64 bytes r‖s, low-S. */
  readonly signed: Uint8Array;
  readonly rawSignature: Uint8Array;
};

/** A snapshot that nobody has signed yet. */
export type UnsignedSnapshot = {
  readonly members: JsonObject;
  /** `sha256:` and 64 hex over JCS of the members. */
  readonly hash: ReceiptHash;
  /** What the signature signs. */
  readonly signed: Uint8Array;
  /** Of JCS of the members. */
  readonly sizeBytes: number;
};

export const unsignedSnapshot = (book: BookAt, issuer: Issuer): UnsignedSnapshot => {
  const members = membersOf(book, issuer);
  const covered = canonicalBytes(members);
  const hash = receiptHashOf(covered);
  return { members, hash, signed: signedBytesOf(hash), sizeBytes: covered.length };
};

/** JCS of the whole snapshot. `lowS` is the 64 bytes r‖s, s ≤ n/2, over `signed`. */
export const snapshotBytes = ({ members, hash }: UnsignedSnapshot, lowS: Uint8Array): Uint8Array =>
  canonicalBytes({ ...members, hash, signature: signatureText(lowS) });

/**
 * The signature covers the hash, under a name that no receipt begins with: what signs a snapshot may be large, and signers are sent little. So no
 * signature of a receipt is one of a snapshot, nor the reverse.
 */
const signedBytesOf = (hash: ReceiptHash): Uint8Array => Buffer.from(`${FORMAT}\0${hash}`);

const membersOf = ({ stream, head, state, shown }: BookAt, { identityId, publicKeyId }: Issuer): JsonObject => ({
  format: FORMAT,
  projectorVersion: PROJECTOR_VERSION,
  stream,
  head,
  book: formOfState(state),
  shown,
  issuer: { identityId, publicKeyId },
});

/**
 * Strict reading of the object under a book's snapshot key: at most `limits.snapshotBytes`, bytes = JCS(parse(bytes)), exactly the members of our
 * version in their forms, the stream of the key, a head and a book id that follow from it, the hash recomputed.
 */
export const parseSnapshot = (bytes: Uint8Array, stream: StreamOf<'pixbook'>): Result<ReadSnapshot, SnapshotFormFault> => {
  if (bytes.length > limits.snapshotBytes) return fault('too-large', `over ${limits.snapshotBytes} bytes`);
  const parsed = parseCanonical(bytes);
  if (!parsed.ok) return fault('not-canonical', parsed.error.detail);
  const { value } = parsed.value;
  if (isOtherVersion(value)) return fault('other-version', 'made by another version of the projector, or of another format');
  const form = snapshotForm.safeParse(value);
  if (!form.success) return fault('members', form.error.issues.map(({ path }) => path.join('.')).join(', '));
  const { head, book, shown, issuer, hash, signature } = form.data;
  if (prefixOf(form.data.stream) !== prefixOf(stream)) return fault('other-stream', 'the snapshot is of another pixbook');
  if (eventIdAt(stream, head.position) !== head.eventId) return fault('other-stream', 'the head is not of this pixbook');
  if (bookIdFor(book.identityId, book.collectionId, book.generation) !== stream.bookId)
    return fault('other-stream', 'bookId does not follow from identity, collection and generation');
  const raw = parseSignature(signature);
  if (!raw.ok) return fault('signature-form', raw.error.detail);
  if (receiptHashOf(withoutSeal(value)) !== hash)
    return fault('hash-mismatch', 'hash is not the SHA-256 of the snapshot without it');
  return ok({
    book: { stream, head, state: stateOfForm(book, head.eventId), shown },
    issuer,
    signed: signedBytesOf(hash),
    rawSignature: raw.value,
  });
};

/** Of the value that was read, not of what was made of it. */
const withoutSeal = (value: Json): Uint8Array => {
  const members = isJsonObject(value) ? Object.entries(value) : [];
  return canonicalBytes(Object.fromEntries(members.filter(([name]) => name !== 'hash' && name !== 'signature')));
};

const isOtherVersion = (value: Json): boolean =>
  isJsonObject(value) && (value.format !== FORMAT || value.projectorVersion !== PROJECTOR_VERSION);

const fault = (code: SnapshotFormFault['code'], detail: string): Result<never, SnapshotFormFault> => err({ code, detail });
