import { limits } from '../limits.ts';
import { type Result, err, ok } from '../result.ts';
import { canonicalBytes, decodedOrNull, parsedOrUndefined, plainText, weighed } from './canonical.ts';
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
  const parsed = parseReceipt(bytes);
  if (!parsed.ok) return parsed;
  const { receipt, signed, signature } = parsed.value;

  const position = positionOf(receipt.eventId);
  if (position < 0 || eventIdAt(receipt.stream, position) !== receipt.eventId)
    return err({ code: 'event-id-not-computed', detail: 'eventId is not the one computed from stream and position' });
  if (keyOf(receipt.stream, receipt.eventId) !== key)
    return err({ code: 'key-mismatch', detail: 'the object key is not the one its stream and position give' });

  if (!signature.ok) return signature;
  if (receiptHashOf(signed) !== receipt.hash)
    return err({ code: 'hash-mismatch', detail: 'hash is not the SHA-256 of the receipt without hash and signature' });
  return ok({ receipt, position, bytes, signed, rawSignature: signature.value });
};

type Parsed = { readonly receipt: Receipt; readonly signed: Uint8Array; readonly signature: ReturnType<typeof parseSignature> };

/** The envelope in bytes that are canonical, the bytes that `hash` covers, and what is to be said of the signature's form. */
const parseReceipt = (bytes: Uint8Array): Result<Parsed, ReadFault> => {
  const text = decodedOrNull(bytes);
  if (text === null) return err({ code: 'not-utf8', detail: 'the bytes are not UTF-8' });
  const value = parsedOrUndefined(text);
  const plain = value === undefined ? null : readEnvelope(value);
  const signature = plain?.ok ? parseSignature(plain.value.signature) : null;
  if (plain?.ok && signature?.ok) {
    const spelled = spelledPlainly(plain.value, text);
    // As many characters as bytes: all of it is ASCII, which is the quicker to write.
    const encoding = text.length === bytes.length ? 'latin1' : 'utf8';
    if (spelled?.whole === text) return ok({ receipt: plain.value, signed: Buffer.from(spelled.signed, encoding), signature });
  }
  // Whatever is not seen to be right at once is weighed, with the reason.
  const parsed = weighed(text);
  if (!parsed.ok) return parsed;
  const envelope = readEnvelope(parsed.value.value);
  if (!envelope.ok) return envelope;
  const { hash: _hash, signature: _signature, ...unsigned } = envelope.value;
  return ok({ receipt: envelope.value, signed: canonicalBytes(unsigned), signature: parseSignature(envelope.value.signature) });
};

/**
 * JCS of a receipt, with and without `hash` and `signature`, put together from members whose form, the signature's included, is known
 * to need no escaping; null where that is not plain to see. Text that equals it is canonical, and has these members and no others.
 */
const spelledPlainly = (receipt: Receipt, text: string): { whole: string; signed: string } | null => {
  const { issuer, stream, payload, prevEventId, prevHash } = receipt;
  const payloadText = plainText(payload, text, limits.jsonDepth - 1);
  if (payloadText === null) return null;
  const start = `{"createdAt":"${receipt.createdAt}","eventId":"${receipt.eventId}",`;
  const middle =
    `"idempotencyKey":${JSON.stringify(receipt.idempotencyKey)},` +
    `"issuer":{"identityId":"${issuer.identityId}","publicKeyId":"${issuer.publicKeyId}"},"payload":${payloadText},` +
    (prevEventId === null ? '"prevEventId":null,"prevHash":null,' : `"prevEventId":"${prevEventId}","prevHash":"${prevHash}",`) +
    '"schemaVersion":1,';
  const end = `"stream":${streamText(stream)},"type":"${receipt.type}"}`;
  const whole = `${start}"hash":"${receipt.hash}",${middle}"signature":"${receipt.signature}",${end}`;
  return { whole, signed: start + middle + end };
};

const streamText = (stream: Stream): string => {
  switch (stream.type) {
    case 'pixbook':
      return `{"accountId":"${stream.accountId}","bookId":"${stream.bookId}","type":"pixbook"}`;
    case 'account':
      return `{"accountId":"${stream.accountId}","type":"account"}`;
    case 'collection':
      return `{"collectionId":"${stream.collectionId}","type":"collection"}`;
    case 'code':
      return `{"codeId":"${stream.codeId}","type":"code"}`;
  }
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
