import { limits } from '../limits.ts';
import { type Clock, withDeadline } from '../port/clock.ts';
import { Outage } from '../port/outage.ts';
import { type Signer, keyNameOf } from '../port/signer.ts';
import type { KeyRecord } from '../receipt/key-history.ts';
import { toLowS, verifySignature } from '../receipt/signature.ts';
import { type Result, err, ok } from '../result.ts';
import type { BookAt } from './book-at.ts';
import { snapshotBytes, unsignedSnapshot } from './snapshot.ts';

/** The operator's key as its stream has it, and which of its keys that is, counted from 1. */
export type SealingKey = { readonly record: KeyRecord; readonly keyGeneration: number };

export type SealingParts = { readonly signer: Pick<Signer, 'sign'>; readonly clock: Clock };

/**
 * The bytes of a snapshot, signed, and the signature checked with the pinned public key before anyone else sees it. Errors: `too-large`, over
 * `limits.snapshotBytes`. Throws `Outage` of the signer. Writes nothing: a crash here leaves no trace.
 */
export const sealSnapshot = async (
  { signer, clock }: SealingParts,
  { record, keyGeneration }: SealingKey,
  book: BookAt,
): Promise<Result<Uint8Array, { readonly code: 'too-large' }>> => {
  const unsigned = unsignedSnapshot(book, { identityId: record.identityId, publicKeyId: record.publicKeyId });
  if (unsigned.sizeBytes > limits.snapshotBytes) return err({ code: 'too-large' });
  const keyName = keyNameOf(record.identityId, keyGeneration);
  const lowS = toLowS(await withDeadline(clock, 'signer', limits.signTimeoutMs, () => signer.sign(keyName, unsigned.signed)));
  if (!verifySignature(record.key, unsigned.signed, lowS))
    throw new Outage(
      'signer',
      'signer-refused',
      `the signer’s ${keyName} is not the key ${record.publicKeyId} of the key history`,
    );
  const bytes = snapshotBytes(unsigned, lowS);
  // Hash and signature are the last straw.
  return bytes.length > limits.snapshotBytes ? err({ code: 'too-large' }) : ok(bytes);
};
