import type { KeyObject } from 'node:crypto';
import { LRUCache } from 'lru-cache';
import { limits } from '../src/limits.ts';
import type { AccountId } from '../src/receipt/ids.ts';
import { type KeyHistory, type KeyRecord, keyHistoryOf } from '../src/receipt/key-history.ts';
import { parsePublicKeyText } from '../src/receipt/signature.ts';

/** A key record as it crosses to another thread: plain data. */
export type PlainKeyRecord = Omit<KeyRecord, 'key'>;

/** The records that an account's stream introduced. */
export const plainRecordsOf = (history: KeyHistory, accountId: AccountId): readonly PlainKeyRecord[] => {
  const plain: PlainKeyRecord[] = [];
  for (const record of history.records.values()) {
    if (record.accountId !== accountId) continue;
    const { publicKeyId, identityId, publicKey, from, until } = record;
    plain.push({ publicKeyId, identityId, accountId, publicKey, from, until });
  }
  return plain;
};

/** Adds records to a history, or replaces what it knew of their identities. The keys themselves are made when first used. */
export const addRecords = (history: KeyHistory, records: readonly PlainKeyRecord[]): void => {
  const known = keyHistoryOf(records.map(withKey));
  for (const [name, record] of known.records) {
    history.records.set(name, record);
    if (!known.current.has(record.identityId)) history.current.delete(record.identityId);
  }
  for (const [identityId, publicKeyId] of known.current) history.current.set(identityId, publicKeyId);
};

export const historyOf = (records: readonly PlainKeyRecord[]): KeyHistory => keyHistoryOf(records.map(withKey));

/** A ledger may have far more keys than one thread ever meets, and more than it should hold at a time: streams of one account lie together. */
const lazyKey = {
  get key(): KeyObject {
    const { publicKey } = this as unknown as PlainKeyRecord;
    const known = keysInUse.get(publicKey);
    if (known !== undefined) return known;
    const key = keyOfText(publicKey);
    keysInUse.set(publicKey, key);
    return key;
  },
};

/** The getter is inherited: a property of each record's own would take more memory than the record. */
const withKey = (plain: PlainKeyRecord): KeyRecord => Object.assign(Object.create(lazyKey) as { key: KeyObject }, plain);

const keysInUse = new LRUCache<string, KeyObject>({ max: limits.replayedKeys });

/** Records come from `learnKeys`, which refuses texts that are no key: meeting one here is a bug. */
const keyOfText = (text: string): KeyObject => {
  const parsed = parsePublicKeyText(text);
  if (!parsed.ok) throw new TypeError('a key record without a public key');
  return parsed.value.key;
};
