import { type KeyObject, generateKeyPair } from 'node:crypto';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { KeyName } from '../../port/signer.ts';
import { createKeyFile, readKeyFile } from '../key-file.ts';
import { privateKeyIn } from '../private-key.ts';
import { refused } from '../signer-outage.ts';

/** The name is checked by the caller: it cannot leave the directory. */
const keyPath = (directory: string, name: KeyName): string => join(directory, `${name}.pem`);

/** The private key `name`, or null when there is none. Throws `Outage` when the file is unsafe, unreadable or not a P-256 key. */
export const readSigningKey = (directory: string, name: KeyName): Promise<KeyObject | null> => {
  const path = keyPath(directory, name);
  return readKeyFile(path, (pem) => parseKey(path, pem));
};

/** Makes the key pair `name` unless its file is there, and returns the pair that counts. Throws `Outage`. */
export const createSigningKey = (directory: string, name: KeyName): Promise<KeyObject> => {
  const path = keyPath(directory, name);
  return createKeyFile(path, newKey, (pem) => parseKey(path, pem));
};

const newKey = async (): Promise<string | Buffer> => {
  const { privateKey } = await promisify(generateKeyPair)('ec', { namedCurve: 'prime256v1' });
  return privateKey.export({ type: 'pkcs8', format: 'pem' });
};

const parseKey = (path: string, pem: Buffer): KeyObject => {
  const key = privateKeyIn(pem);
  if (key === null) throw refused(`the key file ${path} is not a PKCS#8 PEM file: restore it from a backup`);
  if (key.asymmetricKeyDetails?.namedCurve !== 'prime256v1') throw refused(`the key file ${path} does not hold a P-256 key`);
  return key;
};
