import { type KeyObject, createECDH, createHash, createPrivateKey, createPublicKey, sign } from 'node:crypto';
import type { KeyName, Signer } from '../../port/signer.ts';
import { requireKeyName } from '../key-name.ts';
import { refused } from '../signer-outage.ts';

/** Order of P-256 (SP 800-186 §3.2.1.3). */
const ORDER = 0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551n;

/**
 * A signer in RAM for tests: the key pair follows from its name, so that fixtures are the same in every run. Anyone can compute its
 * private keys. `custody` holds the keys made so far; give the same one to another signer and it has the same keys.
 */
export const memorySigner = (custody: Map<KeyName, KeyObject> = new Map()): Signer => ({
  description: 'keys in memory, for tests only',
  createKey: async (name) => {
    requireKeyName(name);
    const key = custody.get(name) ?? keyPairOf(name);
    custody.set(name, key);
    return createPublicKey(key).export({ type: 'spki', format: 'der' });
  },
  sign: async (name, message) => {
    requireKeyName(name);
    const key = custody.get(name);
    if (key === undefined) throw refused(`there is no key ${name} in memory`);
    return sign('sha256', message, { key, dsaEncoding: 'ieee-p1363' });
  },
  check: () => Promise.resolve(),
  close: () => Promise.resolve(),
});

/** Private scalar = 1 + SHA-256("pixpax/memory-signer/v1" NUL name) mod (n - 1): never 0, never n or more. */
const keyPairOf = (name: KeyName): KeyObject => {
  const digest = createHash('sha256').update(`pixpax/memory-signer/v1\0${name}`).digest('hex');
  const scalar = Buffer.from((1n + (BigInt(`0x${digest}`) % (ORDER - 1n))).toString(16).padStart(64, '0'), 'hex');
  const ecdh = createECDH('prime256v1');
  ecdh.setPrivateKey(scalar);
  const point = ecdh.getPublicKey();
  const jwk = {
    kty: 'EC',
    crv: 'P-256',
    d: base64url(scalar),
    x: base64url(point.subarray(1, 33)),
    y: base64url(point.subarray(33)),
  };
  return createPrivateKey({ key: jwk, format: 'jwk' });
};

const base64url = (bytes: Buffer): string => bytes.toString('base64url');
