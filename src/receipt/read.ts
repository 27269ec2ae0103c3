import { limits } from '../limits.ts';
import { type Result, err, ok } from '../result.ts';
import { canonicalBytes, parseCanonical } from './canonical.ts';
import { receiptHashOf } from './hash.ts';
import {
  type EventId,
  type IdempotencyKey,
  type IdentityId,
  type Instant,
  type MalformedId,
  type PublicKeyId,
  type ReceiptHash,
  parseAccountId,
  parseBookId,
  parseCodeId,
  parseCollectionId,
  parseEventId,
  parseIdempotencyKey,
  parseIdentityId,
  parseInstant,
  parsePublicKeyId,
  parseReceiptHash,
} from './ids.ts';
import { type Json, type JsonObject, isJsonObject } from './json.ts';
import { eventIdAt, keyOf, positionOf } from './key-path.ts';
import type { Receipt, StoredReceipt } from './receipt.ts';
import { parseSignature } from './signature.ts';
import type { Stream } from './stream.ts';

/** Why bytes are not a receipt. `detail` is for people and quotes nothing from the payload. */
export type ReadFault = {
  readonly code:
    | 'too-large'
    | 'not-utf8'
    | 'too-deep'
    | 'not-json'
    | 'not-canonical'
    | 'members'
    | 'member-form'
    | 'signature-form'
    | 'signature-high-s'
    | 'event-id-not-computed'
    | 'key-mismatch'
    | 'hash-mismatch';
  readonly detail: string;
};

/** A strictly read receipt and what its signature covers. The signature itself is checked by `verify.ts`, with a key. */
export type ReadReceipt = StoredReceipt & {
  /** The bytes that `hash` covers and that the signature signs. */
  readonly signed: Uint8Array;
  /** 64 bytes r‖s, low-S. */
  readonly rawSignature: Uint8Array;
};

const MEMBERS = [
  'createdAt',
  'eventId',
  'hash',
  'idempotencyKey',
  'issuer',
  'payload',
  'prevEventId',
  'prevHash',
  'schemaVersion',
  'signature',
  'stream',
  'type',
] as const;

/**
 * Strict reading (receipt.md §1) of one object: fatal UTF-8, bytes = JCS(parse(bytes)), exactly the members of the envelope and
 * their forms, base64 that re-encodes to itself, low-S, an event id computed from stream and position, and the object key that
 * follows from it. The hash is recomputed from the bytes read. Neither the chain nor the signature is checked here.
 */
export const readReceipt = (bytes: Uint8Array, key: string): Result<ReadReceipt, ReadFault> => {
  if (bytes.length > limits.receiptBytes) return err({ code: 'too-large', detail: `over ${limits.receiptBytes} bytes` });
  const parsed = parseCanonical(bytes);
  if (!parsed.ok) return parsed;
  const envelope = readEnvelope(parsed.value.value);
  if (!envelope.ok) return envelope;
  const receipt = envelope.value;

  const position = positionOf(receipt.eventId);
  if (position < 0 || eventIdAt(receipt.stream, position) !== receipt.eventId)
    return err({ code: 'event-id-not-computed', detail: 'eventId is not the one computed from stream and position' });
  if (keyOf(receipt.stream, receipt.eventId) !== key)
    return err({ code: 'key-mismatch', detail: 'the object key is not the one its stream and position give' });

  const signature = parseSignature(receipt.signature);
  if (!signature.ok) return signature;
  const signed = signedPartOf(bytes, parsed.value.text, receipt);
  if (receiptHashOf(signed) !== receipt.hash)
    return err({ code: 'hash-mismatch', detail: 'hash is not the SHA-256 of the receipt without hash and signature' });
  return ok({ receipt, position, bytes, signed, rawSignature: signature.value });
};

class MemberFault extends Error {}

const demand = <T>(member: string, parsed: Result<T, MalformedId>): T => {
  if (!parsed.ok) throw new MemberFault(`${member} is not ${parsed.error.expected}`);
  return parsed.value;
};

const exactly = (value: Json | undefined, names: readonly string[], what: string): JsonObject => {
  if (!isJsonObject(value)) throw new MemberFault(`${what} is not an object`);
  const members = Object.keys(value);
  if (members.length !== names.length || !names.every((name) => Object.hasOwn(value, name)))
    throw new MemberFault(`${what} has not exactly the members ${names.join(', ')}`);
  return value;
};

const EVENT_TYPE = /^[A-Z][A-Z0-9]*(?:_[A-Z0-9]+)*$/;

const readEnvelope = (value: Json): Result<Receipt, ReadFault> => {
  if (!isJsonObject(value) || Object.keys(value).length !== MEMBERS.length || !MEMBERS.every((m) => Object.hasOwn(value, m)))
    return err({ code: 'members', detail: `a receipt has exactly the members ${MEMBERS.join(', ')}` });
  try {
    if (value.schemaVersion !== 1) throw new MemberFault('schemaVersion is not 1');
    if (!isJsonObject(value.payload)) throw new MemberFault('payload is not an object');
    if (typeof value.type !== 'string' || !EVENT_TYPE.test(value.type) || value.type.length > 64)
      throw new MemberFault('type is not upper snake case');
    if (typeof value.signature !== 'string') throw new MemberFault('signature is not a string');
    const issuer = exactly(value.issuer, ['identityId', 'publicKeyId'], 'issuer');
    const chained = value.prevEventId !== null || value.prevHash !== null;
    return ok({
      createdAt: demand<Instant>('createdAt', parseInstant(value.createdAt)),
      eventId: demand<EventId>('eventId', parseEventId(value.eventId)),
      hash: demand<ReceiptHash>('hash', parseReceiptHash(value.hash)),
      idempotencyKey: demand<IdempotencyKey>('idempotencyKey', parseIdempotencyKey(value.idempotencyKey)),
      issuer: {
        identityId: demand<IdentityId>('issuer.identityId', parseIdentityId(issuer.identityId)),
        publicKeyId: demand<PublicKeyId>('issuer.publicKeyId', parsePublicKeyId(issuer.publicKeyId)),
      },
      payload: value.payload,
      prevEventId: chained ? demand('prevEventId', parseEventId(value.prevEventId)) : null,
      prevHash: chained ? demand('prevHash', parseReceiptHash(value.prevHash)) : null,
      schemaVersion: 1,
      signature: value.signature,
      stream: readStream(value.stream),
      type: value.type,
    });
  } catch (fault) {
    if (fault instanceof MemberFault) return err({ code: 'member-form', detail: fault.message });
    throw fault;
  }
};

const readStream = (value: Json | undefined): Stream => {
  const type = isJsonObject(value) ? value.type : undefined;
  switch (type) {
    case 'pixbook': {
      const members = exactly(value, ['accountId', 'bookId', 'type'], 'stream');
      return {
        type,
        accountId: demand('stream.accountId', parseAccountId(members.accountId)),
        bookId: demand('stream.bookId', parseBookId(members.bookId)),
      };
    }
    case 'account': {
      const members = exactly(value, ['accountId', 'type'], 'stream');
      return { type, accountId: demand('stream.accountId', parseAccountId(members.accountId)) };
    }
    case 'collection': {
      const members = exactly(value, ['collectionId', 'type'], 'stream');
      return { type, collectionId: demand('stream.collectionId', parseCollectionId(members.collectionId)) };
    }
    case 'code': {
      const members = exactly(value, ['codeId', 'type'], 'stream');
      return { type, codeId: demand('stream.codeId', parseCodeId(members.codeId)) };
    }
    default:
      throw new MemberFault('stream.type is not pixbook, account, collection or code');
  }
};

/**
 * JCS of the receipt without `hash` and `signature`, cut out of bytes that are known to be canonical: members are in order, so
 * `hash` follows `eventId` at a fixed offset and `signature` stands just before `stream` (whose members are known). Only
 * where that cannot be seen at once is the rest spelled anew, which gives the same bytes.
 */
const signedPartOf = (bytes: Uint8Array, text: string, receipt: Receipt): Uint8Array => {
  const hashMember = `"hash":"${receipt.hash}",`;
  const signatureMember = `"signature":"${receipt.signature}",`;
  const hashAt = `{"createdAt":"${receipt.createdAt}","eventId":"${receipt.eventId}",`.length;
  const signatureAt = text.lastIndexOf(signatureMember);
  // Offsets in the text are offsets in the bytes from the front (ASCII so far) and from the back (ASCII from here on).
  const fromBack = text.length - signatureAt;
  if (signatureAt < 0 || !text.startsWith(hashMember, hashAt)) {
    const { hash: _hash, signature: _signature, ...unsigned } = receipt;
    return canonicalBytes(unsigned);
  }
  const cut = bytes.length - fromBack;
  const signed = new Uint8Array(bytes.length - hashMember.length - signatureMember.length);
  signed.set(bytes.subarray(0, hashAt), 0);
  signed.set(bytes.subarray(hashAt + hashMember.length, cut), hashAt);
  signed.set(bytes.subarray(cut + signatureMember.length), cut - hashMember.length);
  return signed;
};
