import { Outage } from '../port/outage.ts';
import type { IdentityRow } from '../port/read-model.ts';
import { keyNameOf } from '../port/signer.ts';
import { publicKeyIdOf } from '../receipt/hash.ts';
import { type IdempotencyKey, OPERATOR_ACCOUNT_ID, OPERATOR_IDENTITY_ID, type PublicKeyId } from '../receipt/ids.ts';
import { emptyKeyHistory, keyRecordOf } from '../receipt/key-history.ts';
import { eventIdAt, keyAt } from '../receipt/key-path.ts';
import { accountStream } from '../receipt/stream.ts';
import { type ReceiptFault, verifyGenesis } from '../receipt/verify.ts';
import { type Result, err, ok } from '../result.ts';
import { decideAccount } from '../stream/account/decide.ts';
import { noAccount } from '../stream/account/evolve.ts';
import { commitReceipt } from './commit.ts';
import { fromSigner, fromStore } from './deadline.ts';
import type { CommandPorts } from './ports.ts';
import { createdAtAfter, signNext } from './sign-receipt.ts';

export type InitialiseFault =
  | { readonly code: 'genesis-invalid'; readonly detail: string; readonly fault: ReceiptFault }
  | { readonly code: 'genesis-unknown'; readonly detail: string };

/** The operator's first key: base64 of its SPKI DER, and the fingerprint that auditors pin. */
export type TrustAnchor = { readonly fingerprint: PublicKeyId; readonly publicKey: string; readonly created: boolean };

const GENESIS_KEY = 'genesis' as IdempotencyKey;
const stream = accountStream(OPERATOR_ACCOUNT_ID);

/**
 * Finds the ledger's trust anchor, or makes it: position 0 of `acc_operator`, self-signed (receipt.md §6). Many processes may do this at once
 * on an empty store: the conditional create lets one genesis win, and all answer its fingerprint. `trust` pins the expected one.
 * Throws `Outage`.
 */
export const initialise = async (
  ports: Pick<CommandPorts, 'store' | 'signer' | 'clock'>,
  trust: PublicKeyId | null,
): Promise<Result<TrustAnchor, InitialiseFault>> => {
  const key = keyAt(stream, 0);
  const read = () => fromStore(ports, () => ports.store.read(key));
  const existing = await read();
  if (existing === null) {
    if (trust !== null)
      return err({
        code: 'genesis-unknown',
        detail: `the store has no ledger, but ${trust} is pinned: is this the right bucket?`,
      });
    const made = await makeGenesis(ports);
    // A crash here: the next start finds genesis in the store, or makes it again with the same key pair.
    const outcome = await commitReceipt(ports, key, made.bytes);
    if (outcome === 'unknown' || outcome === 'busy')
      throw new Outage('store', 'store-unavailable', 'the store did not say whether the ledger was initialised; start again');
    if (outcome === 'durable') return anchorIn(made.bytes, trust, true);
  }
  const bytes = existing ?? (await read());
  if (bytes === null)
    throw new Outage('store', 'store-unavailable', 'genesis was there and is gone: the store is not consistent');
  return anchorIn(bytes, trust, false);
};

const anchorIn = (bytes: Uint8Array, trust: PublicKeyId | null, created: boolean): Result<TrustAnchor, InitialiseFault> => {
  const keys = emptyKeyHistory();
  const genesis = verifyGenesis(bytes, keyAt(stream, 0), keys, trust);
  if (!genesis.ok) return err({ code: 'genesis-invalid', detail: genesis.error.detail, fault: genesis.error });
  const { fingerprint } = genesis.value;
  const publicKey = keyRecordOf(keys, genesis.value.genesis.receipt.issuer)?.publicKey ?? '';
  return ok({ fingerprint, publicKey, created });
};

const makeGenesis = async (ports: Pick<CommandPorts, 'signer' | 'clock'>) => {
  const keyName = keyNameOf(OPERATOR_IDENTITY_ID, 1);
  const spki = await fromSigner(ports, () => ports.signer.createKey(keyName));
  const publicKey = Buffer.from(spki).toString('base64');
  const issuer: IdentityRow = {
    identityId: OPERATOR_IDENTITY_ID,
    accountId: OPERATOR_ACCOUNT_ID,
    status: 'active',
    controller: null,
    publicKeyId: publicKeyIdOf(spki),
    publicKey,
    keyGeneration: 1,
  };
  const command = { type: 'initialise-operator', identityId: OPERATOR_IDENTITY_ID, publicKey } as const;
  const event = decideAccount(OPERATOR_ACCOUNT_ID, noAccount, command);
  if (!event.ok) throw new Error(event.error.detail);
  const here = { eventId: eventIdAt(stream, 0), at: createdAtAfter(ports.clock, null) };
  return signNext(ports, { ...here, stream, head: null, event: event.value, idempotencyKey: GENESIS_KEY, issuer });
};
