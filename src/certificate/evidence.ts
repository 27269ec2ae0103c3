import { OPERATOR_ACCOUNT_ID, type PublicKeyId } from '../receipt/ids.ts';
import { type KeyHistory, emptyKeyHistory, isGenesis, learnKeys } from '../receipt/key-history.ts';
import { keyAt, prefixOf } from '../receipt/key-path.ts';
import { type ReadReceipt, readReceipt } from '../receipt/read.ts';
import { accountStream } from '../receipt/stream.ts';
import { verifyAlone, verifyGenesis } from '../receipt/verify.ts';
import { type Result, err, ok } from '../result.ts';
import { type LedgerEvent, eventOf } from '../stream/event.ts';
import { emptyStream } from '../stream/fold.ts';
import { replayStep } from '../stream/replay-step.ts';
import { type Certificate, type CertificateFault, certificateFault } from './certificate.ts';

/** A receipt of a certificate that is its issuer's word. */
export type Proof = { readonly key: string; readonly read: ReadReceipt; readonly event: LedgerEvent };

/** What a certificate's receipts say, once each is known to be true by itself. */
export type Evidence = {
  readonly fingerprint: PublicKeyId;
  readonly keys: KeyHistory;
  /** All receipts but those of keys. */
  readonly proofs: readonly Proof[];
};

type Checked<T> = Result<T, CertificateFault>;

/**
 * Reads every receipt of a certificate strictly, and verifies each by itself: genesis against the pinned fingerprint, those of keys in the
 * order of their streams, and the others with the keys they introduce. Errors: the first that is not true.
 */
export const evidenceIn = (certificate: Certificate, trust: PublicKeyId | null): Checked<Evidence> => {
  const all = readAll(certificate);
  if (!all.ok) return all;
  const keys = emptyKeyHistory();
  const genesis = trustAnchor(all.value, certificate, keys, trust);
  if (!genesis.ok) return genesis;
  const inAccounts = all.value.filter(
    ({ receipt, position }) => receipt.stream.type === 'account' && !isGenesis(receipt, position),
  );
  for (const read of [...inAccounts].sort(byStreamAndPosition)) {
    const learned = learn(read, keys);
    if (!learned.ok) return learned;
  }
  const proofs: Proof[] = [];
  for (const read of all.value) {
    if (read.receipt.stream.type === 'account') continue;
    const proof = proofOf(read, keys);
    if (!proof.ok) return proof;
    proofs.push(proof.value);
  }
  return ok({ fingerprint: certificate.fingerprint, keys, proofs });
};

const readAll = ({ receipts }: Certificate): Checked<readonly ReadReceipt[]> => {
  const reads = new Map<string, ReadReceipt>();
  for (const { key, text } of receipts) {
    if (reads.has(key)) return certificateFault('receipt-twice', 'it is there twice', key);
    const read = readReceipt(Buffer.from(text, 'utf8'), key);
    if (!read.ok) return certificateFault(read.error.code, read.error.detail, key);
    reads.set(key, read.value);
  }
  return ok([...reads.values()]);
};

const GENESIS_KEY = keyAt(accountStream(OPERATOR_ACCOUNT_ID), 0);

const trustAnchor = (
  reads: readonly ReadReceipt[],
  { fingerprint }: Certificate,
  keys: KeyHistory,
  trust: PublicKeyId | null,
): Checked<void> => {
  const read = reads.find(({ receipt, position }) => isGenesis(receipt, position));
  if (read === undefined)
    return certificateFault('receipt-missing', 'the genesis receipt of the ledger is not in it', GENESIS_KEY);
  const genesis = verifyGenesis(read.bytes, GENESIS_KEY, keys, trust);
  if (!genesis.ok) return certificateFault(genesis.error.code, genesis.error.detail, GENESIS_KEY);
  return genesis.value.fingerprint === fingerprint
    ? ok(undefined)
    : certificateFault(
        'fingerprint-mismatch',
        `its genesis receipt has the fingerprint ${genesis.value.fingerprint}`,
        GENESIS_KEY,
      );
};

/** The operator's own keys first: they signed the others. */
const byStreamAndPosition = (a: ReadReceipt, b: ReadReceipt): number => {
  const [one, other] = [orderOf(a), orderOf(b)];
  return one === other ? a.position - b.position : one < other ? -1 : 1;
};

const orderOf = ({ receipt: { stream } }: ReadReceipt): string =>
  stream.type === 'account' && stream.accountId === OPERATOR_ACCOUNT_ID ? '' : prefixOf(stream);

const proofOf = (read: ReadReceipt, keys: KeyHistory): Checked<Proof> => {
  const key = keyAt(read.receipt.stream, read.position);
  const verified = verifyAlone(read, keys);
  if (!verified.ok) return certificateFault(verified.error.code, verified.error.detail, key);
  const event = eventOf(read.receipt);
  return event.ok ? ok({ key, read, event: event.value }) : certificateFault(event.error.code, event.error.detail, key);
};

/** Takes in what a receipt says of keys. Without the rest of its stream, whether it was its turn to come is not known, but whose word it is. */
const learn = (read: ReadReceipt, keys: KeyHistory): Checked<void> => {
  const proof = proofOf(read, keys);
  if (!proof.ok) return proof;
  const { key, event } = proof.value;
  if (!event.type.startsWith('IDENTITY_')) return certificateFault('receipt-unneeded', 'it says nothing of keys', key);
  const signed = replayStep(emptyStream(read.receipt.stream), read.receipt, keys);
  if (!signed.ok && signed.error.code === 'issuer-not-authorised') return err({ ...signed.error, key });
  const learned = learnKeys(keys, read);
  return learned.ok ? learned : certificateFault(learned.error.code, learned.error.detail, key);
};
