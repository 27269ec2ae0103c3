import {
  type KeyObject,
  createCipheriv,
  createDecipheriv,
  createPublicKey,
  createSecretKey,
  generateKeyPairSync,
  randomBytes,
  sign,
} from 'node:crypto';
import { type Answer, type Body, type Call, answered, failed, lines } from './stand-in-answer.ts';

type Key = {
  readonly type: string;
  readonly versions: readonly (KeyObject | null)[];
  minDecryption: number;
  minEncryption: number;
};
/** The Transit engine at `transit/`. `answer` gives null for a path that it does not have. */
export const vaultTransit = (): {
  readonly answer: (call: Call) => Answer | null;
  /** Whether the call would make a key by the way, for which Vault asks for another right than for using it. */
  readonly wouldCreate: (call: Call) => boolean;
} => {
  const keys = new Map<string, Key>();

  const describeKey = (name: string, key: Key): Answer => {
    const shown = key.versions.map(
      (pair, i) => [String(i + 1), pair?.type === 'private' ? { name: 'P-256', public_key: publicPem(pair) } : 1] as const,
    );
    return answered({
      name,
      type: key.type,
      keys: Object.fromEntries(shown.filter(([version]) => Number(version) >= key.minDecryption)),
      latest_version: key.versions.length,
      min_decryption_version: key.minDecryption,
      min_encryption_version: key.minEncryption,
      supports_signing: key.type === 'ecdsa-p256',
      supports_encryption: key.type === AES,
      supports_decryption: key.type === AES,
    });
  };

  const write = (name: string, { type = AES }: Body): Answer => {
    const made: Key = { type: String(type), versions: [pairOf(String(type))], minDecryption: 1, minEncryption: 0 };
    const key = keys.get(name) ?? made;
    keys.set(name, key);
    return describeKey(name, key);
  };

  const operate = (name: string, key: Key, operation: string, body: Body): Answer => {
    let next = key;
    if (operation === 'rotate') next = { ...key, versions: [...key.versions, pairOf(key.type)] };
    if (operation === 'config') {
      next = { ...key, minDecryption: Number(body.min_decryption_version ?? key.minDecryption) };
      next.minEncryption = Number(body.min_encryption_version ?? key.minEncryption);
    }
    keys.set(name, next);
    return describeKey(name, next);
  };

  const refuse = (error: string) => ({ error, key_version: 0 }) as const;

  const signItem = (
    key: Key,
    item: Body,
    body: Body,
  ): { readonly signature: string; readonly key_version: number } | { readonly error: string; readonly key_version: 0 } => {
    const { input } = item;
    if (typeof input !== 'string') return refuse('missing input');
    if (!isBase64(input)) {
      return refuse('unable to decode input: illegal base64 data at input byte 0');
    }
    const version = Number(body.key_version ?? 0) || key.versions.length;
    if (version > key.versions.length) return refuse('requested version for signing is higher than the latest key version');
    if (version < key.minEncryption)
      return refuse('requested version for signing is less than the minimum encryption key version');
    const pair = version < key.minDecryption ? null : key.versions[version - 1];
    if (!pair) return refuse('no such key version');
    const isJws = body.marshaling_algorithm === 'jws';
    const dsaEncoding = isJws ? 'ieee-p1363' : 'der';
    const bytes = sign('sha256', Buffer.from(input, 'base64'), { key: pair, dsaEncoding });
    return { signature: `vault:v${version}:${bytes.toString(isJws ? 'base64url' : 'base64')}`, key_version: version };
  };

  const signAll = (name: string, body: Body): Answer => {
    const key = keys.get(name);
    if (key === undefined) return failed(400, 'signing key not found');
    if (key.type !== 'ecdsa-p256') return failed(400, `key type ${key.type} does not support signing`);
    const batch = body.batch_input;
    if (Array.isArray(batch)) {
      if (batch.length === 0) return failed(400, 'missing batch input to process');
      return answered({ batch_results: batch.map((item: Body) => ({ ...signItem(key, item, body), reference: '' })) });
    }
    const result = signItem(key, body, body);
    if ('signature' in result) return answered(result);
    return /key version/.test(result.error) ? failed(500, lines(result.error)) : failed(400, result.error);
  };

  const encrypt = (name: string, body: Body): Answer => {
    if (typeof body.plaintext !== 'string') return failed(400, 'missing plaintext to encrypt');
    if (!isBase64(body.plaintext)) return failed(400, 'illegal base64 data at input byte 0');
    if (!keys.has(name)) write(name, {});
    const key = keys.get(name);
    if (key?.type !== AES) return failed(400, `message encryption not supported for key type ${key?.type}`);
    const bytes = sealed(key.versions.at(-1), body.plaintext, body.associated_data);
    return answered({
      ciphertext: `vault:v${key.versions.length}:${bytes.toString('base64')}`,
      key_version: key.versions.length,
    });
  };

  const decrypt = (name: string, body: Body): Answer => {
    const key = keys.get(name);
    if (key === undefined) return failed(400, 'encryption key not found');
    if (key.type !== AES) return failed(400, `message decryption not supported for key type ${key.type}`);
    const [, version, text = ''] = /^vault:v(\d+):(.*)$/s.exec(String(body.ciphertext)) ?? [];
    if (version === undefined) return failed(400, 'invalid ciphertext: no prefix');
    if (Number(version) > key.versions.length) return failed(400, 'invalid ciphertext: version is too new');
    if (Number(version) < key.minDecryption)
      return failed(400, 'ciphertext or signature version is disallowed by policy (too old)');
    // As Go reads base64: line breaks and the bits left over do not count.
    if (!isBase64(text.replace(/[\r\n]/g, ''))) return failed(400, 'invalid ciphertext: could not decode base64');
    const bytes = Buffer.from(text, 'base64');
    if (bytes.length < 12) return failed(400, 'invalid ciphertext length');
    const secret = unsealed(key.versions[Number(version) - 1], bytes, body.associated_data);
    return secret === null
      ? failed(400, 'cipher: message authentication failed')
      : answered({ plaintext: secret.toString('base64') });
  };

  const answer = ({ method, path, body }: Call): Answer | null => {
    const [mount, what = '', name = '', operation] = path.split('/');
    if (mount !== 'transit') return null;
    if (what === 'sign' && method === 'POST' && operation === 'sha2-256') return signAll(name, body);
    if (what === 'encrypt' && method === 'POST') return encrypt(name, body);
    if (what === 'decrypt' && method === 'POST') return decrypt(name, body);
    if (what !== 'keys' || name === '') return null;
    const key = keys.get(name);
    if (operation === undefined && method === 'POST') return write(name, body);
    if (key === undefined) return failed(404);
    return operation === undefined ? describeKey(name, key) : operate(name, key, operation, body);
  };
  return {
    answer,
    wouldCreate: ({ path }) => path.startsWith('transit/encrypt/') && !keys.has(path.slice('transit/encrypt/'.length)),
  };
};

const AES = 'aes256-gcm96';
const isBase64 = (text: string): boolean => /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/.test(text);
const contextOf = (associatedData: unknown): Buffer =>
  Buffer.from(typeof associatedData === 'string' ? associatedData : '', 'base64');

/** Nonce, ciphertext and tag, as Vault puts them. */
const sealed = (key: KeyObject | null | undefined, plaintext: string, associatedData: unknown): Buffer => {
  const nonce = randomBytes(12);
  if (!key) throw new Error('an AES key has versions');
  const cipher = createCipheriv('aes-256-gcm', key, nonce).setAAD(contextOf(associatedData));
  return Buffer.concat([nonce, cipher.update(plaintext, 'base64'), cipher.final(), cipher.getAuthTag()]);
};

const unsealed = (key: KeyObject | null | undefined, bytes: Buffer, associatedData: unknown): Buffer | null => {
  if (!key || bytes.length < 28) return null;
  const decipher = createDecipheriv('aes-256-gcm', key, bytes.subarray(0, 12), { authTagLength: 16 });
  decipher.setAAD(contextOf(associatedData)).setAuthTag(bytes.subarray(-16));
  try {
    return Buffer.concat([decipher.update(bytes.subarray(12, -16)), decipher.final()]);
  } catch {
    return null;
  }
};

const pairOf = (type: string): KeyObject | null => {
  if (type === 'ecdsa-p256') return generateKeyPairSync('ec', { namedCurve: 'prime256v1' }).privateKey;
  if (type === AES) return createSecretKey(randomBytes(32));
  if (type === 'ecdsa-p384') return generateKeyPairSync('ec', { namedCurve: 'secp384r1' }).privateKey;
  return null;
};

const publicPem = (pair: KeyObject): string => createPublicKey(pair).export({ type: 'spki', format: 'pem' }).toString();
