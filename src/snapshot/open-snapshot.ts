import { Outage } from '../port/outage.ts';
import { OPERATOR_IDENTITY_ID } from '../receipt/ids.ts';
import type { KeyRecord } from '../receipt/key-history.ts';
import { keyAt, snapshotKeyOf } from '../receipt/key-path.ts';
import { readReceipt } from '../receipt/read.ts';
import { verifySignature } from '../receipt/signature.ts';
import type { StreamOf } from '../receipt/stream.ts';
import { type Result, err, ok } from '../result.ts';
import type { BookAt } from './book-at.ts';
import { type ReadSnapshot, type SnapshotFormFault, parseSnapshot } from './snapshot.ts';
import { type StoredReader, readStored } from './stored-objects.ts';

/** Why there is no snapshot to go by. `unavailable`: it, or what it must be held against, could not be read now. */
export type SnapshotFault =
  | SnapshotFormFault
  | {
      readonly code: 'absent' | 'unavailable' | 'head-missing' | 'head-different' | 'key-not-current' | 'signature-invalid';
      readonly detail: string;
    };

/**
 * Opens the snapshot of a pixbook: strictly parsed, its head the very receipt that the store has at that position, and signed with the key that is
 * the operator's now. `operatorKey` answers that key, or null when it cannot be told. A key that was the operator's once will not do: whoever got
 * hold of it could date a snapshot as they like, and a snapshot that is refused is only made again. Never throws `Outage`: a snapshot that
 * cannot be read is none.
 */
export const openSnapshot = async (
  reader: StoredReader,
  stream: StreamOf<'pixbook'>,
  operatorKey: () => Promise<KeyRecord | null>,
): Promise<Result<BookAt, SnapshotFault>> => {
  try {
    const bytes = await readStored(reader, snapshotKeyOf(stream));
    if (bytes === null) return fault('absent', 'the pixbook has no snapshot');
    const snapshot = parseSnapshot(bytes, stream);
    if (!snapshot.ok) return snapshot;
    const key = await operatorKey();
    if (key === null) return fault('unavailable', 'the operator’s key cannot be told');
    const signed = signedBy(snapshot.value, key);
    if (!signed.ok) return signed;
    return await heldAgainstStore(reader, snapshot.value.book);
  } catch (error) {
    if (!(error instanceof Outage)) throw error;
    return fault('unavailable', error.message);
  }
};

/** Whether a snapshot is the word of the operator's identity with this key. */
export const signedBy = (snapshot: ReadSnapshot, key: KeyRecord): Result<void, SnapshotFault> => {
  const { identityId, publicKeyId } = snapshot.issuer;
  if (identityId !== OPERATOR_IDENTITY_ID || key.identityId !== identityId || key.publicKeyId !== publicKeyId)
    return fault('key-not-current', `${publicKeyId} is not the key of the operator now`);
  return verifySignature(key.key, snapshot.signed, snapshot.rawSignature)
    ? ok(undefined)
    : fault('signature-invalid', 'the signature is not by the operator’s key over these bytes');
};

/** The receipt never changes, whatever becomes of the snapshot meanwhile. */
const heldAgainstStore = async (reader: StoredReader, book: BookAt): Promise<Result<BookAt, SnapshotFault>> => {
  const { stream, head } = book;
  const key = keyAt(stream, head.position);
  const bytes = await readStored(reader, key);
  const read = bytes === null ? null : readReceipt(bytes, key);
  if (!read?.ok) return fault('head-missing', `${key} is not in the store, or not as it was written`);
  const { hash, createdAt } = read.value.receipt;
  return hash === head.hash && createdAt === head.createdAt
    ? ok(book)
    : fault('head-different', `the receipt at position ${head.position} is another one`);
};

const fault = (code: SnapshotFault['code'], detail: string): Result<never, SnapshotFault> => err({ code, detail });
