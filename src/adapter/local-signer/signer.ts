import { type KeyObject, createPublicKey, sign } from 'node:crypto';
import { resolve } from 'node:path';
import { LRUCache } from 'lru-cache';
import { limits } from '../../limits.ts';
import type { KeyName, Signer } from '../../port/signer.ts';
import { rawOfDer } from '../../receipt/signature.ts';
import { checkWritable, openKeyDirectory } from '../key-directory.ts';
import { errno } from '../key-file-outage.ts';
import { requireKeyName } from '../key-name.ts';
import { refused, unavailable } from '../signer-outage.ts';
import { createSigningKey, readSigningKey } from './signing-key.ts';

/**
 * Keys as PKCS#8 PEM files `{name}.pem`, mode 0600, in `directory`, mode 0700, which is made when it is not there. Any number of
 * processes of one machine may share it. Who can read the files can sign: production keeps its keys in Vault.
 * Rejects with `Outage` when the directory cannot be made or is open to other users.
 */
export const openLocalSigner = async (directory: string): Promise<Signer> => {
  const home = resolve(directory);
  await openKeyDirectory(home);
  const keys = rememberedKeys(home);

  return {
    description: `local keys in ${home}`,
    createKey: async (name) => {
      requireKeyName(name);
      // Never from memory: a key that was only read so far is made durable here.
      const key = await createSigningKey(home, name);
      keys.set(name, key);
      return createPublicKey(key).export({ type: 'spki', format: 'der' });
    },
    sign: async (name, message) => {
      requireKeyName(name);
      const key = await keys.fetch(name);
      if (key === undefined) throw unavailable(`the key ${name} was dropped from memory while it was read`);
      return signOnThreadPool(key, message);
    },
    check: () => checkWritable(home),
    close: () => {
      keys.clear();
      return Promise.resolve();
    },
  };
};

/** Keys are immutable, so memory never goes stale; concurrent first uses of a key read its file once; failures are not remembered. */
const rememberedKeys = (directory: string): LRUCache<KeyName, KeyObject> =>
  new LRUCache({
    max: limits.rememberedPrivateKeys,
    fetchMethod: async (name: KeyName) => {
      const key = await readSigningKey(directory, name);
      if (key === null)
        throw refused(`there is no key ${name} in ${directory}: if it was there before, restore it from a backup`);
      return key;
    },
  });

/**
 * With a callback node signs on its thread pool: a burst of signatures does not hold up the event loop. With a bare key, and so in DER, it
 * takes half as long as with options that ask for r‖s.
 */
const signOnThreadPool = (key: KeyObject, message: Uint8Array): Promise<Uint8Array> =>
  new Promise((fulfil, reject) => {
    sign('sha256', message, key, (error, signature) => {
      if (error === null) fulfil(rawOfDer(signature));
      else reject(unavailable(`signing failed (${errno(error)})`));
    });
  });
