import { createHash, createSecretKey } from 'node:crypto';
import type { Sealer } from '../../port/sealer.ts';
import { sealWith, unsealWith } from '../sealed-text.ts';

const SCHEME = 'memory';
const KEY = createSecretKey(createHash('sha256').update('pixpax/memory-sealer/v1').digest());

/** A sealer in RAM for tests: all of them have the same key, which anyone can compute, so that each opens what another sealed. */
export const memorySealer = (): Sealer => ({
  description: 'a key in memory, for tests only',
  seal: async (context, secret) => sealWith(KEY, SCHEME, context, secret),
  unseal: async (context, sealed) => unsealWith(KEY, SCHEME, context, sealed),
  close: () => Promise.resolve(),
});
