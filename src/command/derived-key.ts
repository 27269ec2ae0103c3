import { v5 as uuidV5 } from 'uuid';
import { type IdempotencyKey, parseIdempotencyKey } from '../receipt/ids.ts';

/** The UUIDv5 namespace of idempotency keys that the ledger derives (receipt.md §5, "Two streams, one effect"). */
const NAMESPACE = '6f1d7a52-4c1e-5f0b-9d39-7a2f5d6b8c11';

/**
 * The idempotency key of what follows from `deciding` (an event id, or who asked under which key) in the stream with the prefix `target`:
 * whoever does it, however often, means the same receipt.
 */
export const derivedKey = (deciding: string, target: string): IdempotencyKey => {
  const key = parseIdempotencyKey(uuidV5(`${deciding} ${target}`, NAMESPACE));
  if (!key.ok) throw new TypeError('a UUID is an idempotency key');
  return key.value;
};
