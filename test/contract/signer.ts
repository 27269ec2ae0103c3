import { createPublicKey, randomBytes, randomUUID, verify, webcrypto } from 'node:crypto';
import { p256 } from '@noble/curves/nist.js';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { Outage } from '../../src/port/outage.ts';
import type { KeyName, Signer } from '../../src/port/signer.ts';

/** A custody to try, which may hold keys of others, and how to leave no trace of it. */
export type OpenedCustody = {
  /** Opens a signer on the custody: called again, another one on the same keys, as a restart or a second process would. */
  readonly openSigner: () => Promise<Signer>;
  readonly cleanup: () => Promise<void>;
};

const SPKI_HEAD = '3059301306072a8648ce3d020106082a8648ce3d030107034200' + '04';
const ORDER = 0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551n;

/** How the names of this run begin. */
export const contractRun = `pixpax-contract-${randomUUID()}` as const;
let names = 0;

/** A name nobody has used before. */
export const freshKeyName = (): KeyName => {
  names += 1;
  return `${contractRun}-${names}`;
};

/** Three implementations, each on its own; noble takes only low-S, which the port does not promise. */
const verifiers: Readonly<
  Record<string, (spki: Uint8Array, message: Uint8Array, signature: Uint8Array) => Promise<boolean> | boolean>
> = {
  'node:crypto': (spki, message, signature) => {
    const key = createPublicKey({ key: Buffer.from(spki), format: 'der', type: 'spki' });
    return verify('sha256', message, { key, dsaEncoding: 'ieee-p1363' }, signature);
  },
  WebCrypto: async (spki, message, signature) => {
    const algorithm = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' };
    const key = await webcrypto.subtle.importKey('spki', Buffer.from(spki), algorithm, false, ['verify']);
    return webcrypto.subtle.verify(algorithm, key, Buffer.from(signature), Buffer.from(message));
  },
  '@noble/curves': (spki, message, signature) =>
    p256.verify(lowS(signature), Buffer.from(message), spki.subarray(26), { prehash: true, lowS: true }),
};

const lowS = (signature: Uint8Array): Uint8Array => {
  const s = BigInt(`0x${Buffer.from(signature.subarray(32)).toString('hex')}`);
  if (s <= ORDER / 2n) return signature;
  return Buffer.concat([signature.subarray(0, 32), Buffer.from((ORDER - s).toString(16).padStart(64, '0'), 'hex')]);
};

const refusal = { name: 'Outage', dependency: 'signer', code: 'signer-refused' };

/** The contract of `port/signer.ts`, sentence by sentence, for any adapter. All names are fresh, so it may run against keys in use. */
export const describeSigner = (name: string, open: () => Promise<OpenedCustody>): void => {
  describe(`the signer contract on ${name}`, () => {
    let custody: OpenedCustody;
    let signer: Signer;
    let opened: Signer[];

    const openAnother = async (): Promise<Signer> => {
      const another = await custody.openSigner();
      opened.push(another);
      return another;
    };

    beforeEach(async () => {
      custody = await open();
      opened = [];
      signer = await openAnother();
    });
    afterEach(async () => {
      await Promise.all(opened.map((each) => each.close()));
      await custody.cleanup();
    });

    it('makes a P-256 key and returns its public half as SPKI DER of 91 bytes', async () => {
      const spki = await signer.createKey(freshKeyName());
      expect(spki).toHaveLength(91);
      expect(Buffer.from(spki).toString('hex').startsWith(SPKI_HEAD)).toBe(true);
      expect(p256.Point.fromBytes(spki.subarray(26)).is0()).toBe(false);
    });

    it('returns the same key when it is made again', async () => {
      const key = freshKeyName();
      const first = await signer.createKey(key);
      expect(hex(await signer.createKey(key))).toBe(hex(first));
    });

    it('returns one key to all who make it at once, through any number of signers', async () => {
      const key = freshKeyName();
      const signers = [signer, await openAnother(), await openAnother()];
      const made = await Promise.all(signers.flatMap((each) => Array.from({ length: 8 }, () => each.createKey(key))));
      expect(new Set(made.map(hex)).size).toBe(1);
    });

    it('makes another key for another name', async () => {
      const made = await Promise.all(Array.from({ length: 8 }, () => signer.createKey(freshKeyName())));
      expect(new Set(made.map(hex)).size).toBe(8);
    });

    it.each(Object.keys(verifiers))('signs so that %s agrees, and with 64 bytes', async (verifier) => {
      const key = freshKeyName();
      const spki = await signer.createKey(key);
      for (const message of [Buffer.from('{"a":"ü"}'), Buffer.alloc(0), randomBytes(64 * 1024)]) {
        const signature = await signer.sign(key, message);
        expect(signature).toHaveLength(64);
        expect(await verifiers[verifier]?.(spki, message, signature)).toBe(true);
        expect(await verifiers[verifier]?.(spki, Buffer.concat([message, Buffer.of(0)]), signature)).toBe(false);
      }
    });

    it('signs 64 messages at once, each with its own key and none mixed up', async () => {
      const keys = [freshKeyName(), freshKeyName(), freshKeyName()];
      const publicKeys = await Promise.all(keys.map((key) => signer.createKey(key)));
      const jobs = Array.from({ length: 64 }, (_, i) => ({ which: i % 3, message: Buffer.from(`message ${i}`) }));
      const signed = await Promise.all(
        jobs.map(async (job) => ({ ...job, signature: await signer.sign(keys[job.which] ?? 'pixpax-', job.message) })),
      );
      for (const { which, message, signature } of signed) {
        expect(await verifiers['node:crypto']?.(publicKeys[which] ?? Buffer.of(), message, signature)).toBe(true);
      }
    });

    it('refuses to sign with a key that was never made', async () => {
      await expect(signer.sign(freshKeyName(), Buffer.from('x'))).rejects.toMatchObject(refusal);
    });

    it('signs with a key that it refused before the key was made', async () => {
      const key = freshKeyName();
      await expect(signer.sign(key, Buffer.from('x'))).rejects.toBeInstanceOf(Outage);
      await signer.createKey(key);
      expect(await signer.sign(key, Buffer.from('x'))).toHaveLength(64);
    });

    it.each([
      ['no prefix', 'other-key-0'],
      ['no more than the prefix', 'pixpax-'],
      ['a way out of the directory', 'pixpax-../../etc/passwd'],
      ['another endpoint', 'pixpax-a/rotate'],
      ['a query', 'pixpax-a?x=1'],
      ['an escape', 'pixpax-a%2fb'],
      ['a line break at the end', 'pixpax-a\n'],
      ['a NUL', 'pixpax-a\0'],
      ['a letter beyond ASCII', 'pixpax-ä'],
      ['no end', `pixpax-${'a'.repeat(5000)}`],
    ])('refuses a key name with %s', async (_, bad) => {
      await expect(signer.createKey(bad as KeyName)).rejects.toMatchObject(refusal);
      await expect(signer.sign(bad as KeyName, Buffer.from('x'))).rejects.toMatchObject(refusal);
    });

    it('has the same keys when it is opened again', async () => {
      const key = freshKeyName();
      const spki = await signer.createKey(key);
      await signer.close();
      const again = await openAnother();
      const signature = await again.sign(key, Buffer.from('later'));
      expect(await verifiers['node:crypto']?.(spki, Buffer.from('later'), signature)).toBe(true);
      expect(hex(await again.createKey(key))).toBe(hex(spki));
    });

    it('says that it can sign', async () => {
      await expect(signer.check()).resolves.toBeUndefined();
    });

    it('can be closed twice', async () => {
      await signer.close();
      await expect(signer.close()).resolves.toBeUndefined();
    });
  });
};

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex');
