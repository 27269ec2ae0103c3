import { type KeyObject, createPrivateKey, generateKeyPair, randomBytes } from 'node:crypto';
import { type FileHandle, link, open, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { KeyName } from '../../port/signer.ts';
import { refused, unavailable } from '../signer-outage.ts';
import { errno, fileOutage } from './failure.ts';
import { requirePrivate, syncDirectory } from './key-directory.ts';

/** A P-256 key in PKCS#8 PEM takes 241 bytes; a file larger than this is something else. */
const KEY_FILE_BYTES = 4_096;

/** The name is checked by the caller: it cannot leave the directory. */
const keyPath = (directory: string, name: KeyName): string => join(directory, `${name}.pem`);

/** The private key `name`, or null when there is none. Throws `Outage` when the file is unsafe, unreadable or not a P-256 key. */
export const readKey = async (directory: string, name: KeyName): Promise<KeyObject | null> => {
  const path = keyPath(directory, name);
  try {
    const file = await open(path, 'r');
    return parseKey(path, await readPrivate(path, file).finally(() => file.close()));
  } catch (error) {
    if (errno(error) === 'ENOENT') return null;
    throw fileOutage(`cannot read the key file ${path}`, error);
  }
};

/** Looks at the open file, not at its path: what was checked is what is read. */
const readPrivate = async (path: string, file: FileHandle): Promise<string> => {
  const { mode, size } = await file.stat();
  requirePrivate(`the key file ${path}`, mode, `chmod 600 '${path}'`);
  if (size > KEY_FILE_BYTES) throw refused(`the key file ${path} is ${size} bytes long, which no P-256 key is`);
  return file.readFile('utf8');
};

const parseKey = (path: string, pem: string): KeyObject => {
  const key = privateKeyIn(pem);
  if (key === null) throw refused(`the key file ${path} is not a PKCS#8 PEM file: restore it from a backup`);
  if (key.asymmetricKeyDetails?.namedCurve !== 'prime256v1') throw refused(`the key file ${path} does not hold a P-256 key`);
  return key;
};

/** Null when it is none: the reason is not passed on, since it may quote the file, and the file is a secret. */
const privateKeyIn = (pem: string): KeyObject | null => {
  try {
    return createPrivateKey(pem);
  } catch {
    return null;
  }
};

/**
 * Makes the key pair `name` unless its file is there, and returns the pair that counts. Whoever links first wins, in this process or
 * another; the rest read what won.
 */
export const createKeyFile = async (directory: string, name: KeyName): Promise<KeyObject> => {
  try {
    const key = (await readKey(directory, name)) ?? (await linkNewKey(directory, name));
    // Found or made: whoever made the file may have died before this line, and then a power cut could still take back a key whose
    // public half is in receipts.
    await syncDirectory(directory);
    return key;
  } catch (error) {
    throw fileOutage(`cannot create the key ${name} in ${directory}`, error);
  }
};

const linkNewKey = async (directory: string, name: KeyName): Promise<KeyObject> => {
  const { privateKey } = await promisify(generateKeyPair)('ec', { namedCurve: 'prime256v1' });
  const draft = join(directory, `.${name}.${randomBytes(8).toString('hex')}.draft`);
  try {
    // A crash from here on leaves a draft with a key that nobody has used: it may be deleted at any time.
    await writeDurably(draft, privateKey.export({ type: 'pkcs8', format: 'pem' }));
    // The commit point: before it there is no key, after it there is this one.
    await link(draft, keyPath(directory, name));
    return privateKey;
  } catch (error) {
    if (errno(error) !== 'EEXIST') throw error;
  } finally {
    await rm(draft, { force: true });
  }
  const winner = await readKey(directory, name);
  if (winner === null) throw unavailable(`the key ${name} came and went: is something else deleting files in ${directory}?`);
  return winner;
};

const writeDurably = async (path: string, text: string | Buffer): Promise<void> => {
  const file = await open(path, 'wx', 0o600);
  try {
    await file.writeFile(text);
    await file.sync();
  } finally {
    await file.close();
  }
};
