import { type KeyObject, createPrivateKey, createPublicKey, generateKeyPairSync, sign } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { openKeyDirectory } from '../../src/adapter/key-directory.ts';
import { errno } from '../../src/adapter/key-file-outage.ts';
import { requireKeyName } from '../../src/adapter/key-name.ts';
import { limits } from '../../src/limits.ts';
import type { KeyName, Signer } from '../../src/port/signer.ts';
import { rawOfDer } from '../../src/receipt/signature.ts';

/**
 * The local signer but for its promise about loss of power, and its thread pool: files as it lays them out, which it can serve from, but not
 * fsynced; the calling thread makes keys and signs. A key's file is there before anything is signed with it. Rejects as
 * `openLocalSigner` does.
 */
export const openQuickSigner = async (directory: string): Promise<Signer> => {
  const home = resolve(directory);
  await openKeyDirectory(home);
  const keys = new Map<KeyName, KeyObject>();

  const keyOf = (name: KeyName): KeyObject => {
    const known = keys.get(name);
    if (known !== undefined) return known;
    const key = createPrivateKey(readFileSync(pathOf(home, name)));
    return remember(name, key);
  };
  const remember = (name: KeyName, key: KeyObject): KeyObject => {
    // Those made first are of collectors whose year is over.
    if (keys.size >= limits.rememberedPrivateKeys) keys.clear();
    keys.set(name, key);
    return key;
  };
  return {
    description: `local keys in ${home}`,
    createKey: async (name) => {
      requireKeyName(name);
      const key = remember(name, keyMadeAt(pathOf(home, name)));
      return createPublicKey(key).export({ type: 'spki', format: 'der' });
    },
    sign: async (name, message) => rawOfDer(sign('sha256', message, keyOf(name))),
    check: async () => undefined,
    close: async () => keys.clear(),
  };
};

const pathOf = (directory: string, name: KeyName): string => join(directory, `${name}.pem`);

/** The key of a file that is there counts: another thread, or an earlier try, made it. */
const keyMadeAt = (path: string): KeyObject => {
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'prime256v1' });
  try {
    writeFileSync(path, privateKey.export({ type: 'pkcs8', format: 'pem' }), { flag: 'wx', mode: 0o600 });
    return privateKey;
  } catch (error) {
    if (errno(error) !== 'EEXIST') throw error;
    return createPrivateKey(readFileSync(path));
  }
};
