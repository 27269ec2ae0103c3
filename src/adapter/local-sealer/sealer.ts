import { type KeyObject, createSecretKey, randomBytes } from 'node:crypto';
import { join, resolve } from 'node:path';
import type { Sealer } from '../../port/sealer.ts';
import { openKeyDirectory } from '../key-directory.ts';
import { createKeyFile, readKeyFile } from '../key-file.ts';
import { remembered } from '../remembered.ts';
import { sealWith, unsealWith } from '../sealed-text.ts';
import { refused } from '../signer-outage.ts';

const SCHEME = 'local';
const KEY_BYTES = 32;

/**
 * Seals with a key of 32 random bytes in `directory`, in the file `pixpax-seal.key` of mode 0600, beside the keys of the local signer. The key is
 * made when something is sealed for the first time, and never again. Any number of processes of one machine may share it. Who can read
 * the file can open what is sealed: production seals with Vault. Rejects with `Outage` when the directory cannot be made or is open to
 * other users.
 */
export const openLocalSealer = async (directory: string): Promise<Sealer> => {
  const home = resolve(directory);
  await openKeyDirectory(home);
  const path = join(home, 'pixpax-seal.key');
  const parse = (content: Buffer): KeyObject => parseKey(path, content);
  // Two memories: a key that was only read so far is made durable before anything is sealed with it.
  const keyToSeal = remembered(() => createKeyFile(path, async () => randomBytes(KEY_BYTES), parse));
  const keyToUnseal = remembered(async () => {
    const key = await readKeyFile(path, parse);
    if (key !== null) return key;
    // Made now, it would open nothing: what is to be opened was sealed with one that is gone.
    throw refused(`there is no key file ${path}: restore it from a backup`);
  });

  return {
    description: `a local key in ${home}`,
    seal: async (context, secret) => sealWith(await keyToSeal(), SCHEME, context, secret),
    unseal: async (context, sealed) => unsealWith(await keyToUnseal(), SCHEME, context, sealed),
    close: () => Promise.resolve(),
  };
};

const parseKey = (path: string, content: Buffer): KeyObject => {
  if (content.length === KEY_BYTES) return createSecretKey(content);
  throw refused(`the key file ${path} does not hold ${KEY_BYTES} bytes: restore it from a backup`);
};
