import { createPublicKey, verify } from 'node:crypto';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { limits } from '../../src/limits.ts';
import type { KeyName, Signer } from '../../src/port/signer.ts';
import { type VaultStandIn, startVaultStandIn } from '../vault-stand-in.ts';
import { configOf, outageOf, withSigner } from './open.ts';

const KEY: KeyName = 'pixpax-idn_01JZ0000000000000000000000-0';
const OTHER: KeyName = 'pixpax-idn_01JZ0000000000000000000000-1';
const messages = (count: number): Buffer[] => Array.from({ length: count }, (_, i) => Buffer.from(`message ${i}`));

let vault: VaultStandIn;
beforeEach(async () => {
  vault = await startVaultStandIn();
});
afterEach(() => vault.close());

const signCalls = (): number => vault.asked.filter((line) => line.includes('/sign/')).length;

const withKeys = <T>(use: (signer: Signer, publicKey: Uint8Array) => Promise<T>): Promise<T> =>
  withSigner(configOf(vault), async (signer) => {
    await signer.createKey(OTHER);
    return use(signer, await signer.createKey(KEY));
  });

describe('signatures asked for together', () => {
  it.each([
    [1, 1],
    [64, 1],
    [limits.vaultBatchSignatures, 1],
    [limits.vaultBatchSignatures + 1, 2],
    [limits.vaultBatchSignatures * 2 + 1, 3],
  ])('%i of one key take %i calls, and each gets its own', async (count, calls) => {
    await withKeys(async (signer, publicKey) => {
      const signatures = await Promise.all(messages(count).map((message) => signer.sign(KEY, message)));
      const key = createPublicKey({ key: Buffer.from(publicKey), format: 'der', type: 'spki' });
      const isGood = (message: Buffer, i: number): boolean =>
        verify('sha256', message, { key, dsaEncoding: 'ieee-p1363' }, signatures[i] ?? Buffer.of());
      expect(messages(count).every(isGood)).toBe(true);
      expect(signCalls()).toBe(calls);
    });
  });

  it('travel with those of their own key only', async () => {
    await withKeys(async (signer) => {
      await Promise.all([KEY, OTHER, KEY, OTHER].map((key) => signer.sign(key, Buffer.from('x'))));
      expect(signCalls()).toBe(2);
    });
  });

  it('fail one by one when Vault says 200 and means some', async () => {
    await withKeys(async (signer) => {
      vault.failNext(/sign/, {
        patch: (body) => {
          const { batch_results: results } = body.data as { batch_results: unknown[] };
          results[1] = { error: 'no such key version', key_version: 0 };
          results[2] = { signature: 'vault:v1:short', key_version: 1 };
          return body;
        },
      });
      const outcomes = await Promise.allSettled(messages(4).map((message) => signer.sign(KEY, message)));
      expect(outcomes).toMatchObject([
        { status: 'fulfilled' },
        { status: 'rejected', reason: { code: 'signer-refused' } },
        { status: 'rejected', reason: { code: 'signer-unavailable' } },
        { status: 'fulfilled' },
      ]);
    });
  });

  it('all fail when the call fails, and the next ones do not', async () => {
    await withKeys(async (signer) => {
      vault.failNext(/sign/, { status: 500, errors: [] });
      const outages = await Promise.all(messages(3).map((message) => outageOf(signer.sign(KEY, message))));
      expect(outages.map(({ code }) => code)).toEqual(Array(3).fill('signer-unavailable'));
      expect(await signer.sign(KEY, Buffer.from('x'))).toHaveLength(64);
    });
  });
});
