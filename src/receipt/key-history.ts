import type { KeyObject } from 'node:crypto';
import { limits } from '../limits.ts';
import { type Result, err, ok } from '../result.ts';
import { publicKeyIdOf } from './hash.ts';
import {
  type AccountId,
  type IdentityId,
  type Instant,
  OPERATOR_ACCOUNT_ID,
  type PublicKeyId,
  epochMsOf,
  parseIdentityId,
} from './ids.ts';
import { type Json, isJsonObject } from './json.ts';
import type { Issuer, Receipt, StoredReceipt } from './receipt.ts';
import { parsePublicKeyText } from './signature.ts';

/** A public key of an identity and the part of its account's stream in which it is the identity's key. */
export type KeyRecord = {
  readonly publicKeyId: PublicKeyId;
  readonly identityId: IdentityId;
  readonly accountId: AccountId;
  readonly key: KeyObject;
  /** Standard base64 of the SPKI DER, as the receipt that introduced it has it. */
  readonly publicKey: string;
  /** Position and time of the receipt that introduced the key. */
  readonly from: { readonly position: number; readonly at: Instant };
  /** Position and time of the receipt that rotated or revoked it; null while it is current. */
  readonly until: { readonly position: number; readonly at: Instant } | null;
};

/** Every key that account streams introduced, by identity and key. Mutable by `learnKeys` only. */
export type KeyHistory = {
  readonly records: Map<string, KeyRecord>;
  readonly current: Map<IdentityId, PublicKeyId>;
};

export const emptyKeyHistory = (): KeyHistory => ({ records: new Map(), current: new Map() });

/** A history of just these records, for verifying a receipt whose issuer's key is known. */
export const keyHistoryOf = (records: readonly KeyRecord[]): KeyHistory => {
  const history = emptyKeyHistory();
  for (const record of records) {
    history.records.set(nameOf(record.identityId, record.publicKeyId), record);
    if (record.until === null) history.current.set(record.identityId, record.publicKeyId);
  }
  return history;
};

const nameOf = (identityId: IdentityId, publicKeyId: PublicKeyId): string => `${identityId} ${publicKeyId}`;

/** The record of an issuer's key, or null when no account stream introduced it. */
export const keyRecordOf = (history: KeyHistory, issuer: Issuer): KeyRecord | null =>
  history.records.get(nameOf(issuer.identityId, issuer.publicKeyId)) ?? null;

export type KeyFault = {
  readonly code: 'key-unknown' | 'key-not-valid-then' | 'key-event-malformed' | 'key-already-introduced' | 'identity-unknown';
  readonly detail: string;
};

/**
 * Takes what one receipt of an account stream says about keys into the history: the genesis of `acc_operator` and IDENTITY_CREATED
 * introduce a key, IDENTITY_KEY_ROTATED ends one and introduces the next, IDENTITY_REVOKED ends one. Other receipts say nothing.
 * Receipts of one stream must come in order, each after it was verified.
 */
export const learnKeys = (history: KeyHistory, stored: Pick<StoredReceipt, 'receipt' | 'position'>): Result<void, KeyFault> => {
  const { receipt, position } = stored;
  if (receipt.stream.type !== 'account') return ok(undefined);
  const here = { position, at: receipt.createdAt };
  switch (receipt.type) {
    case 'ACCOUNT_CREATED':
      return isGenesis(receipt, position) ? introduce(history, receipt, receipt.payload.operator, here) : ok(undefined);
    case 'IDENTITY_CREATED':
      return introduce(history, receipt, receipt.payload, here);
    case 'IDENTITY_KEY_ROTATED': {
      const ended = endKey(history, receipt, here);
      return ended.ok ? introduce(history, receipt, receipt.payload, here) : ended;
    }
    case 'IDENTITY_REVOKED':
      return endKey(history, receipt, here);
    default:
      return ok(undefined);
  }
};

/** The one self-signed receipt: position 0 of `acc_operator` (receipt.md §6). */
export const isGenesis = (receipt: Receipt, position: number): boolean =>
  position === 0 && receipt.stream.type === 'account' && receipt.stream.accountId === OPERATOR_ACCOUNT_ID;

type Place = { readonly position: number; readonly at: Instant };

const introduce = (history: KeyHistory, receipt: Receipt, facts: Json | undefined, from: Place): Result<void, KeyFault> => {
  const identityId = parseIdentityId(isJsonObject(facts) ? facts.identityId : undefined);
  const publicKey = isJsonObject(facts) ? facts.publicKey : undefined;
  const key = typeof publicKey === 'string' ? parsePublicKeyText(publicKey) : null;
  if (!identityId.ok || !key?.ok || typeof publicKey !== 'string' || receipt.stream.type !== 'account')
    return err({ code: 'key-event-malformed', detail: 'no identityId, or no public key as base64 of its SPKI DER' });
  const publicKeyId = publicKeyIdOf(key.value.spki);
  const name = nameOf(identityId.value, publicKeyId);
  if (history.records.has(name) || history.current.has(identityId.value))
    return err({ code: 'key-already-introduced', detail: `${identityId.value} has a key already` });
  const record = {
    publicKeyId,
    identityId: identityId.value,
    accountId: receipt.stream.accountId,
    key: key.value.key,
    publicKey,
  };
  history.records.set(name, { ...record, from, until: null });
  history.current.set(identityId.value, publicKeyId);
  return ok(undefined);
};

const endKey = (history: KeyHistory, receipt: Receipt, until: Place): Result<void, KeyFault> => {
  const identityId = parseIdentityId(receipt.payload.identityId);
  const publicKeyId = identityId.ok ? history.current.get(identityId.value) : undefined;
  const name = identityId.ok && publicKeyId !== undefined ? nameOf(identityId.value, publicKeyId) : null;
  const record = name === null ? undefined : history.records.get(name);
  if (!identityId.ok || name === null || record === undefined || record.accountId !== accountOf(receipt))
    return err({ code: 'identity-unknown', detail: 'the receipt ends a key of an identity that has none in this account' });
  // The key may be one that is made when it is first asked for: a copy of members alone would lose it.
  history.records.set(name, { ...record, key: record.key, until });
  history.current.delete(identityId.value);
  return ok(undefined);
};

const accountOf = (receipt: Receipt): AccountId | null => (receipt.stream.type === 'account' ? receipt.stream.accountId : null);

/**
 * Whether a key was its identity's key when a receipt was made (receipt.md §6). Within the stream that introduced the key, order
 * decides: after its introduction, up to and with the receipt that ends it. Streams share no order, so elsewhere `createdAt`
 * decides, with `limits.keyGraceMs` of grace on both sides for appends in flight and clocks that differ.
 */
export const wasValidFor = (record: KeyRecord, stored: Pick<StoredReceipt, 'receipt' | 'position'>): boolean => {
  const { receipt, position } = stored;
  if (accountOf(receipt) === record.accountId) {
    const introduced = isGenesis(receipt, position) ? position : record.from.position + 1;
    return position >= introduced && (record.until === null || position <= record.until.position);
  }
  // Instants sort as they are written: the clock is needed for the grace alone.
  const { createdAt } = receipt;
  return (
    (createdAt >= record.from.at || epochMsOf(createdAt) >= epochMsOf(record.from.at) - limits.keyGraceMs) &&
    (record.until === null ||
      createdAt <= record.until.at ||
      epochMsOf(createdAt) <= epochMsOf(record.until.at) + limits.keyGraceMs)
  );
};
