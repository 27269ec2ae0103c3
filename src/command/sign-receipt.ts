import type { KeyObject } from 'node:crypto';
import { LRUCache } from 'lru-cache';
import { limits } from '../limits.ts';
import type { Clock } from '../port/clock.ts';
import { Outage } from '../port/outage.ts';
import type { IdentityRow } from '../port/read-model.ts';
import { keyNameOf } from '../port/signer.ts';
import { inCanonicalOrder } from '../receipt/canonical.ts';
import { type Head, nextPosition } from '../receipt/chain.ts';
import { type EventId, type IdempotencyKey, type Instant, type PublicKeyId, epochMsOf, instantOf } from '../receipt/ids.ts';
import type { JsonObject } from '../receipt/json.ts';
import { type StoredReceipt, type UnsignedReceipt, sealReceipt, signedBytesOf } from '../receipt/receipt.ts';
import { parsePublicKeyText, toLowS, verifySignature, verifySignatureAsync } from '../receipt/signature.ts';
import type { Stream } from '../receipt/stream.ts';
import type { LedgerEvent } from '../stream/event.ts';
import { fromSigner } from './deadline.ts';
import type { CommandPorts } from './ports.ts';

const publicKeys = new LRUCache<PublicKeyId, KeyObject>({ max: limits.rememberedPublicKeys });

/** The pinned public key of an identity. An id is the hash of its key, so a remembered one cannot be stale. */
const publicKeyOf = (issuer: IdentityRow): KeyObject => {
  const known = publicKeys.get(issuer.publicKeyId);
  if (known !== undefined) return known;
  const parsed = parsePublicKeyText(issuer.publicKey);
  if (!parsed.ok) throw new Error(`the projection holds no P-256 key for ${issuer.identityId}`);
  publicKeys.set(issuer.publicKeyId, parsed.value.key);
  return parsed.value.key;
};

/** Receipts that are being signed in this process right now. */
let signing = 0;

/**
 * Alone, the check is done here and now: handing it to another thread and waiting for its answer takes longer than the check. With others at
 * work it goes to the thread pool, off their critical path.
 */
const verifies = async (key: KeyObject, signed: Uint8Array, lowS: Uint8Array): Promise<boolean> =>
  signing === 0 ? verifySignature(key, signed, lowS) : verifySignatureAsync(key, signed, lowS);

export type NextReceipt = {
  readonly stream: Stream;
  readonly head: Head | null;
  /** `eventIdAt` of the position after `head`. */
  readonly eventId: EventId;
  /** `createdAtAfter` the head. */
  readonly at: Instant;
  readonly event: LedgerEvent;
  readonly idempotencyKey: IdempotencyKey;
  readonly issuer: IdentityRow;
};

/** The time of the receipt that comes after `head`: now, and never before the head's. */
export const createdAtAfter = (clock: Clock, head: Head | null): Instant =>
  instantOf(Math.max(clock.now(), head === null ? 0 : epochMsOf(head.createdAt)));

/**
 * The receipt that comes after `head`: JCS, SHA-256, signature by the issuer's key, low-S, and a check of that signature with the pinned
 * public key before anyone else sees it. Throws `Outage` of the signer. Writes nothing: a crash here
 * leaves no trace.
 */
export const signNext = async (ports: Pick<CommandPorts, 'signer' | 'clock'>, next: NextReceipt): Promise<StoredReceipt> => {
  const { stream, head, event, issuer } = next;
  const position = nextPosition(head);
  // Members in their canonical order: the bytes are spelled several times from here on.
  const unsigned: UnsignedReceipt = {
    createdAt: next.at,
    eventId: next.eventId,
    idempotencyKey: next.idempotencyKey,
    issuer: { identityId: issuer.identityId, publicKeyId: issuer.publicKeyId },
    payload: inCanonicalOrder(event.payload as JsonObject),
    prevEventId: head?.eventId ?? null,
    prevHash: head?.hash ?? null,
    schemaVersion: 1,
    stream: inCanonicalOrder(stream),
    type: event.type,
  };
  const signed = signedBytesOf(unsigned);
  signing++;
  const keyName = keyNameOf(issuer.identityId, issuer.keyGeneration);
  const raw = await fromSigner(ports, () => ports.signer.sign(keyName, signed)).finally(() => signing--);
  const lowS = toLowS(raw);
  if (!(await verifies(publicKeyOf(issuer), signed, lowS)))
    throw new Outage(
      'signer',
      'signer-refused',
      `the signer’s ${keyName} is not the key ${issuer.publicKeyId} of the key history`,
    );
  return { position, ...sealReceipt(unsigned, signed, lowS) };
};
