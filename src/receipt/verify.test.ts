import { describe, expect, it } from 'vitest';
import { type SignedReceipt, fixedKey, issuerOf, resigned, signedReceipt } from '../../test/receipt/signed-receipt.ts';
import { ledgerOfVectors } from '../../test/receipt/vectors.ts';
import { type Head, headOf } from './chain.ts';
import { type IdentityId, type Instant, OPERATOR_IDENTITY_ID, epochMsOf, instantOf } from './ids.ts';
import { emptyKeyHistory, learnKeys } from './key-history.ts';
import { verifyGenesis, verifyReceipt } from './verify.ts';

const [genesis, created, identity, rotated, revoked, book, saved, closed] = ledgerOfVectors();
if (!genesis || !created || !identity || !rotated || !revoked || !book || !saved || !closed) throw new Error('vectors changed');
const [operatorKey, firstKey, secondKey] = [fixedKey(1), fixedKey(2), fixedKey(3)];
const identityId = book.receipt.issuer.identityId;

const history = (...receipts: readonly SignedReceipt[]) => {
  const keys = emptyKeyHistory();
  verifyGenesis(genesis.bytes, genesis.key, keys, null);
  for (const receipt of receipts) expect(learnKeys(keys, receipt)).toEqual({ ok: true, value: undefined });
  return keys;
};
const whole = history(created, identity, rotated, revoked);
const codeOf = (receipt: SignedReceipt, head: Head | null, keys = whole): string => {
  const verified = verifyReceipt(receipt.bytes, receipt.key, head, keys);
  return verified.ok ? 'verified' : verified.error.code;
};
const later = (instant: Instant, ms: number): Instant => instantOf(epochMsOf(instant) + ms);

describe('verifying a receipt in its place', () => {
  it.each([
    ['an account by the operator', created, null],
    ['an identity by the operator', identity, headOf(created)],
    ['a rotation by the old key', rotated, headOf(identity)],
    ['a revocation by the operator', revoked, headOf(rotated)],
    ['a pixbook by the first key', book, null],
    ['a save by the key that replaced it', saved, headOf(book)],
  ])('accepts %s', (_what, receipt, head) => {
    expect(codeOf(receipt, head)).toBe('verified');
  });

  it('finds a dropped, a swapped and a repeated receipt', () => {
    expect(codeOf(closed, headOf(book))).toBe('position-gap');
    expect(codeOf(book, headOf(book))).toBe('position-gap');
    const swapped = resigned(saved.receipt, { prevHash: closed.receipt.hash }, secondKey);
    expect(codeOf(swapped, headOf(book))).toBe('prev-mismatch');
    expect(codeOf(resigned(saved.receipt, { prevEventId: null, prevHash: null }, secondKey), headOf(book))).toBe('prev-mismatch');
  });

  it('finds time that runs backwards', () => {
    const backwards = resigned(saved.receipt, { createdAt: later(book.receipt.createdAt, -1) }, secondKey);
    expect(codeOf(backwards, headOf(book))).toBe('runs-backwards');
  });

  it('finds a signature by another key, whether or not the issuer is changed with it', () => {
    expect(codeOf(resigned(saved.receipt, {}, firstKey), headOf(book))).toBe('signature-invalid');
    const stranger = fixedKey(9);
    expect(codeOf(resigned(saved.receipt, { issuer: issuerOf(identityId, stranger) }, stranger), headOf(book))).toBe(
      'key-unknown',
    );
    const borrowed = resigned(saved.receipt, { issuer: issuerOf(identityId, operatorKey) }, operatorKey);
    expect(codeOf(borrowed, headOf(book))).toBe('key-unknown');
  });
});

describe('the key history', () => {
  const atTime = (receipt: SignedReceipt, at: Instant, key = secondKey): SignedReceipt =>
    signedReceipt({ ...withoutSeal(receipt), createdAt: at, issuer: issuerOf(identityId, key) }, key);
  const head = { ...headOf(book), createdAt: '2000-01-01T00:00:00.000Z' as Instant };

  it.each([
    ['five minutes before its key was introduced', rotated.receipt.createdAt, -300_000, 'verified'],
    ['more than that before', rotated.receipt.createdAt, -300_001, 'key-not-valid-then'],
    ['five minutes after its key was revoked', revoked.receipt.createdAt, 300_000, 'verified'],
    ['more than that after', revoked.receipt.createdAt, 300_001, 'key-not-valid-then'],
  ])('judges a receipt made %s', (_when, instant, ms, code) => {
    expect(codeOf(atTime(saved, later(instant, ms)), head)).toBe(code);
  });

  it('gives no grace in the stream that holds the key: order decides there', () => {
    const again = resigned(rotated.receipt, { issuer: issuerOf(identityId, secondKey) }, secondKey);
    expect(codeOf(again, headOf(identity))).toBe('key-not-valid-then');
    const afterRevocation = signedReceipt({ ...withoutSeal(revoked), issuer: issuerOf(identityId, firstKey) }, firstKey);
    expect(codeOf(afterRevocation, headOf(rotated))).toBe('key-not-valid-then');
  });

  it('refuses to end the key of an identity of another account, or of none', () => {
    const foreign = resigned(
      revoked.receipt,
      { payload: { ...revoked.receipt.payload, identityId: OPERATOR_IDENTITY_ID } },
      operatorKey,
    );
    expect(learnKeys(history(created, identity), foreign)).toMatchObject({ error: { code: 'identity-unknown' } });
    expect(learnKeys(history(created), revoked)).toMatchObject({ error: { code: 'identity-unknown' } });
  });

  it('refuses to introduce a key twice, and one that is not P-256', () => {
    expect(learnKeys(history(created, identity), identity)).toMatchObject({ error: { code: 'key-already-introduced' } });
    for (const publicKey of ['', 'AAAA', operatorKey.publicKey.replace('A', 'B'), 7, null]) {
      const odd = resigned(identity.receipt, { payload: { ...identity.receipt.payload, publicKey } }, operatorKey);
      expect(learnKeys(history(created), odd)).toMatchObject({ error: { code: 'key-event-malformed' } });
    }
  });
});

describe('genesis', () => {
  const fingerprint = genesis.receipt.issuer.publicKeyId;
  const verdict = (receipt: SignedReceipt, trust: typeof fingerprint | null) => {
    const verified = verifyGenesis(receipt.bytes, receipt.key, emptyKeyHistory(), trust);
    return verified.ok ? verified.value.fingerprint : verified.error.code;
  };

  it('answers its fingerprint, and is held against the pinned one', () => {
    expect(verdict(genesis, null)).toBe(fingerprint);
    expect(verdict(genesis, fingerprint)).toBe(fingerprint);
    expect(verdict(genesis, issuerOf(OPERATOR_IDENTITY_ID, firstKey).publicKeyId)).toBe('trust-mismatch');
  });

  it('must carry the key that signs it', () => {
    const operator = { ...(genesis.receipt.payload.operator as object), publicKey: firstKey.publicKey };
    expect(verdict(resigned(genesis.receipt, { payload: { operator } }, operatorKey), null)).toBe('genesis-malformed');
    expect(verdict(resigned(genesis.receipt, {}, firstKey), null)).toBe('signature-invalid');
    expect(verdict(created, null)).toBe('genesis-malformed');
    const other = issuerOf('idn_01JZ0000000000000000000000' as IdentityId, operatorKey);
    expect(verdict(resigned(genesis.receipt, { issuer: other }, operatorKey), null)).toBe('genesis-malformed');
  });

  it('is not trusted when it is an ordinary receipt that claims to be one', () => {
    const keys = emptyKeyHistory();
    expect(verifyReceipt(genesis.bytes, genesis.key, null, keys)).toMatchObject({ error: { code: 'key-unknown' } });
  });
});

const withoutSeal = ({ receipt: { hash: _hash, signature: _signature, ...unsigned } }: SignedReceipt) => unsigned;
