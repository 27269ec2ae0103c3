import type { AccountId, IdentityId, PublicKeyId } from '../src/receipt/ids.ts';
import { keyAt, prefixOf } from '../src/receipt/key-path.ts';
import { accountStream } from '../src/receipt/stream.ts';
import type { PlainKeyRecord } from './key-records.ts';
import type { AccountRead, KeyDelivery } from './lane.ts';
import type { LedgerFault } from './ledger-fault.ts';

/** What the accounts' streams have taught, gathered from all lanes. Grows with the number of identities, not of receipts. */
export type AccountsRead = {
  readonly add: (reads: readonly AccountRead[]) => void;
  /** What was added since the last delivery. */
  readonly delivery: (fingerprint: PublicKeyId | null, untrue?: readonly AccountId[]) => KeyDelivery;
  /** Identities that two accounts introduce: the account that sorts first has it. */
  readonly conflicts: () => readonly LedgerFault[];
};

type Introduction = { readonly accountId: AccountId; readonly position: number };

export const accountsRead = (): AccountsRead => {
  const introductions = new Map<IdentityId, Introduction>();
  const faults: LedgerFault[] = [];
  let records: PlainKeyRecord[] = [];
  let untrue: AccountId[] = [];

  const introduce = ({ identityId, accountId, from }: PlainKeyRecord): void => {
    const here = { accountId, position: from.position };
    const other = introductions.get(identityId);
    if (other === undefined) introductions.set(identityId, here);
    if (other === undefined || other.accountId === accountId) return;
    const [holder, late] = other.accountId < accountId ? [other, here] : [here, other];
    introductions.set(identityId, holder);
    faults.push(introducedTwice(late, identityId));
  };

  return {
    add: (reads) => {
      for (const { accountId, whole, keys } of reads) {
        if (!whole) untrue.push(accountId);
        for (const record of keys) {
          records.push(record);
          introduce(record);
        }
      }
    },
    delivery: (fingerprint, alsoUntrue = []) => {
      const delivery = { fingerprint, records, untrue: [...untrue, ...alsoUntrue] };
      records = [];
      untrue = [];
      return delivery;
    },
    conflicts: () => faults,
  };
};

const introducedTwice = ({ accountId, position }: Introduction, identityId: IdentityId): LedgerFault => ({
  key: keyAt(accountStream(accountId), position),
  stream: prefixOf(accountStream(accountId)),
  position,
  lastPosition: position,
  code: 'key-already-introduced',
  detail: `another account introduced ${identityId}`,
  unverifiable: 0,
});
