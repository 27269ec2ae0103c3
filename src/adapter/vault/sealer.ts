import { limits } from '../../limits.ts';
import type { Sealer } from '../../port/sealer.ts';
import { remembered } from '../remembered.ts';
import { notOurs, requireSealable } from '../sealed-text.ts';
import { refused } from '../signer-outage.ts';
import { at } from './answer.ts';
import { malformed, outageOf, shown } from './failure.ts';
import type { OpenedVault } from './opened.ts';

/** No signing key has this name: theirs end in a number. */
const KEY = 'pixpax-seal';
const KEY_TYPE = 'aes256-gcm96';
const SEALED = /^vault:v[1-9]\d{0,8}:([A-Za-z0-9+/]+={0,2})$/;

/**
 * Seals with the Transit key `pixpax-seal`, which is made when something is sealed for the first time. The sealed text is Vault's own: its version of
 * the key is in it, so that the key may be rotated in place.
 */
export const vaultSealer = ({ ask, close, description, transitMount }: OpenedVault): Sealer => {
  const path = (operation: 'keys' | 'encrypt' | 'decrypt'): string => `${transitMount}/${operation}/${KEY}`;

  const makeKey = remembered(async () => {
    const what = `creating the key ${KEY}`;
    // A crash after this call leaves a key that nobody uses; the same call later finds it.
    const made = await ask({ what, method: 'POST', path: path('keys'), body: { type: KEY_TYPE } });
    if (!made.ok) throw outageOf(what, made.error);
    // Old servers answer 204, and then encrypting says whether it can be done.
    const type = at(made.value, 'data', 'type');
    if (typeof type === 'string' && type !== KEY_TYPE)
      throw refused(`${what}: its type is ${shown(type, [])}, not ${KEY_TYPE}: it was not made by this service`);
  });

  const seal = async (context: string, secret: Uint8Array): Promise<string> => {
    requireSealable(secret);
    // Encrypting makes a missing key too, but of any type and only for those who may `create`: our policy does not let us.
    await makeKey();
    const what = `sealing with ${KEY}`;
    const plaintext = base64(secret);
    const body = { plaintext, associated_data: base64(Buffer.from(context)) };
    const answer = await ask({ what, method: 'POST', path: path('encrypt'), body, secrets: [plaintext] });
    if (!answer.ok) throw outageOf(what, answer.error);
    requireBound(what, answer.value);
    const sealed = at(answer.value, 'data', 'ciphertext');
    if (typeof sealed !== 'string' || !isSealed(sealed)) throw malformed(what, 'vault:vN: and base64 in data.ciphertext');
    return sealed;
  };

  const unseal = async (context: string, sealed: string): Promise<Uint8Array> => {
    if (!isSealed(sealed)) throw notOurs();
    const what = `unsealing with ${KEY}`;
    const body = { ciphertext: sealed, associated_data: base64(Buffer.from(context)) };
    const answer = await ask({ what, method: 'POST', path: path('decrypt'), body });
    if (!answer.ok) throw outageOf(what, answer.error);
    requireBound(what, answer.value);
    return secretIn(what, answer.value);
  };

  return { description, seal, unseal, close };
};

/** Vault skips line breaks and bits left over in base64: only the one text that it makes is let through. */
const isSealed = (text: string): boolean => {
  if (text.length > limits.sealedSeedChars) return false;
  const bytes = SEALED.exec(text)?.[1];
  return bytes !== undefined && base64(Buffer.from(bytes, 'base64')) === bytes;
};

/** Before 1.13 Vault encrypts without the context, and says no more than that it ignored it. */
const requireBound = (what: string, answer: unknown): void => {
  const warnings = at(answer, 'warnings');
  if (!Array.isArray(warnings) || !warnings.some((text) => typeof text === 'string' && text.includes('associated_data'))) return;
  throw refused(`${what}: this Vault does not know associated_data: 1.13 or newer is needed`);
};

/** Its length alone is looked at, and nothing of it is quoted. */
const secretIn = (what: string, answer: unknown): Uint8Array => {
  const plaintext = at(answer, 'data', 'plaintext');
  const expected = `base64 of 1 to ${limits.sealedSecretBytes} bytes in data.plaintext`;
  if (typeof plaintext !== 'string') throw malformed(what, expected);
  const secret = Buffer.from(plaintext, 'base64');
  if (base64(secret) !== plaintext || secret.length < 1 || secret.length > limits.sealedSecretBytes)
    throw malformed(what, expected);
  return secret;
};

const base64 = (bytes: Uint8Array): string => Buffer.from(bytes).toString('base64');
