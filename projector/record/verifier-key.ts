import { type KeyObject, generateKeyPair } from 'node:crypto';
import { type FileHandle, open } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { promisify } from 'node:util';
import { errno, fileOutage } from '../../src/adapter/key-file-outage.ts';
import { linkNewFile, makeDirectoryDurably, syncDirectory } from '../../src/adapter/link-new-file.ts';
import { privateKeyIn } from '../../src/adapter/private-key.ts';
import { refused } from '../../src/adapter/signer-outage.ts';

/** What lets others in. A group may read: that is how Kubernetes mounts a secret. */
const OTHERS = 0o037;

/** The largest key file takes 241 bytes (P-256 in PKCS#8 PEM). */
const KEY_FILE_BYTES = 4_096;

/**
 * The verifier's own key, in PKCS#8 PEM: made, mode 0600, where there is no file. It signs records and nothing else, and no other key of the ledger
 * takes part: who can write receipts cannot make a record that hides it. Throws `Outage` when the file is open to others or
 * does not hold a P-256 key.
 */
export const openVerifierKey = async (file: string): Promise<KeyObject> => {
  const path = resolve(file);
  try {
    return (await readKey(path)) ?? (await makeKey(path));
  } catch (error) {
    throw fileOutage(`cannot use the verifier's key ${path}`, error);
  }
};

const readKey = async (path: string): Promise<KeyObject | null> => {
  try {
    const file = await open(path, 'r');
    return parseKey(path, await readPrivate(path, file).finally(() => file.close()));
  } catch (error) {
    if (errno(error) === 'ENOENT') return null;
    throw error;
  }
};

/** Looks at the open file, not at its path: what was checked is what is read. */
const readPrivate = async (path: string, file: FileHandle): Promise<Buffer> => {
  const { mode, size } = await file.stat();
  if ((mode & OTHERS) !== 0) throw refused(`the verifier's key ${path} is open to other users: chmod 600 '${path}'`);
  if (size > KEY_FILE_BYTES) throw refused(`the verifier's key ${path} is ${size} bytes long, which no key is`);
  return file.readFile();
};

/** Whoever links first wins; the rest read what won. */
const makeKey = async (path: string): Promise<KeyObject> => {
  const { privateKey } = await promisify(generateKeyPair)('ec', { namedCurve: 'prime256v1' });
  await makeDirectoryDurably(dirname(path));
  await linkNewFile(path, privateKey.export({ type: 'pkcs8', format: 'pem' }));
  // Without this, loss of power could take back a key that has signed already: its records would be nobody's.
  await syncDirectory(dirname(path));
  const key = await readKey(path);
  if (key === null) throw refused(`the verifier's key ${path} came and went: is something else deleting files there?`);
  return key;
};

const parseKey = (path: string, pem: Buffer): KeyObject => {
  const key = privateKeyIn(pem);
  if (key === null) throw refused(`the verifier's key ${path} is not a PKCS#8 PEM file`);
  if (key.asymmetricKeyDetails?.namedCurve !== 'prime256v1') throw refused(`the verifier's key ${path} is not a P-256 key`);
  return key;
};
