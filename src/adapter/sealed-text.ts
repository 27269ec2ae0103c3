import { type KeyObject, createCipheriv, createDecipheriv, randomBytes } from 'node:crypto';
import { limits } from '../limits.ts';
import { refused } from './signer-outage.ts';

/**
 * AES-256-GCM (SP 800-38D) with a random nonce of 96 bits, of which one key may use 2^32, and the context as associated data. The text is
 * `{scheme}:v1:` and the unpadded base64url of nonce ‖ ciphertext ‖ tag.
 */
const CIPHER = 'aes-256-gcm';
const NONCE_BYTES = 12;
const TAG_BYTES = 16;

/** Seals with a key of 32 bytes. `scheme` tells the texts of one sealer from another's. Throws `Outage` for a secret of no length or too much. */
export const sealWith = (key: KeyObject, scheme: string, context: string, secret: Uint8Array): string => {
  requireSealable(secret);
  const nonce = randomBytes(NONCE_BYTES);
  const cipher = createCipheriv(CIPHER, key, nonce, { authTagLength: TAG_BYTES }).setAAD(Buffer.from(context));
  const parts = [nonce, cipher.update(secret), cipher.final(), cipher.getAuthTag()];
  return `${scheme}:v1:${Buffer.concat(parts).toString('base64url')}`;
};

/** The secret that `sealWith` sealed with the same key, scheme and context. Throws `Outage` (`signer-refused`) for any other text. */
export const unsealWith = (key: KeyObject, scheme: string, context: string, sealed: string): Uint8Array => {
  const bytes = bytesOf(scheme, sealed);
  const tagAt = bytes.length - TAG_BYTES;
  if (tagAt <= NONCE_BYTES) throw notOurs();
  try {
    const decipher = createDecipheriv(CIPHER, key, bytes.subarray(0, NONCE_BYTES), { authTagLength: TAG_BYTES });
    decipher.setAAD(Buffer.from(context)).setAuthTag(bytes.subarray(tagAt));
    return Buffer.concat([decipher.update(bytes.subarray(NONCE_BYTES, tagAt)), decipher.final()]);
  } catch {
    // The tag does not fit. There is nothing else to say, and nothing of it may be passed on.
    throw notOurs();
  }
};

const bytesOf = (scheme: string, sealed: string): Buffer => {
  const head = `${scheme}:v1:`;
  if (sealed.length > limits.sealedSeedChars || !sealed.startsWith(head)) throw notOurs();
  const bytes = Buffer.from(sealed.slice(head.length), 'base64url');
  // Node skips what is not base64, and reads two alphabets: only the one text that sealing makes is let through.
  if (`${head}${bytes.toString('base64url')}` !== sealed) throw notOurs();
  return bytes;
};

/** Throws `Outage` (`signer-refused`) unless a secret of this length may be sealed. */
export const requireSealable = ({ length }: Uint8Array): void => {
  if (length >= 1 && length <= limits.sealedSecretBytes) return;
  throw refused(`a secret of ${length} bytes cannot be sealed: 1 to ${limits.sealedSecretBytes} bytes expected`);
};

/** What is thrown for a sealed text that cannot be opened, whatever the reason. */
export const notOurs = () =>
  refused(
    'this sealed text cannot be opened: it was changed, or sealed for another context, by another sealer or with another key',
  );
