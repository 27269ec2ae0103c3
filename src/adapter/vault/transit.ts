import { createPublicKey } from 'node:crypto';
import type { Outage } from '../../port/outage.ts';
import type { KeyName } from '../../port/signer.ts';
import { type Result, err, ok } from '../../result.ts';
import { refused, unavailable } from '../signer-outage.ts';
import { at } from './answer.ts';
import type { VaultRequest } from './connection.ts';
import { malformed, outageOf, shown } from './failure.ts';
import type { Ask } from './opened.ts';

/** Version 1 is the only one ever used: a rotated key has another name (port/signer.ts). */
const VERSION = '1';
const BACK_TO_VERSION = 'set min_decryption_version and min_encryption_version of the key back to 1';
const SIGNATURE = /^vault:v1:([A-Za-z0-9_-]{86})$/;
const SIGNATURE_BYTES = 64;
/** A name under which no key is ever made: names of keys end in a number. */
const NO_SUCH_KEY: KeyName = 'pixpax-check';

/** Makes the key pair unless there is one; Vault answers the same for the second call. Throws `Outage`. */
export const createTransitKey = async (ask: Ask, mount: string, name: KeyName): Promise<Uint8Array> => {
  const path = `${mount}/keys/${name}`;
  const making = `creating the key ${name}`;
  // A crash after this call leaves a key that nobody uses; the same call later finds it.
  const made = await ask({ what: making, method: 'POST', path, body: { type: 'ecdsa-p256' } });
  if (!made.ok) throw outageOf(making, made.error);
  const reading = `reading the public key ${name}`;
  const read = await ask({ what: reading, method: 'GET', path });
  if (!read.ok) throw outageOf(reading, read.error);
  return publicKeyIn(reading, read.value);
};

const publicKeyIn = (what: string, body: unknown): Uint8Array => {
  const type = at(body, 'data', 'type');
  if (typeof type !== 'string') throw malformed(what, 'data.type');
  if (type !== 'ecdsa-p256')
    throw refused(`${what}: its type is ${shown(type, [])}, not ecdsa-p256: it was not made by this service`);
  const pem = at(body, 'data', 'keys', VERSION, 'public_key');
  if (pem === undefined) throw refused(`${what}: version ${VERSION} is archived: ${BACK_TO_VERSION}`);
  if (typeof pem !== 'string') throw malformed(what, 'data.keys.1.public_key');
  return p256Spki(what, pem);
};

const p256Spki = (what: string, pem: string): Uint8Array => {
  try {
    const key = createPublicKey(pem);
    if (key.asymmetricKeyDetails?.namedCurve === 'prime256v1') return key.export({ type: 'spki', format: 'der' });
  } catch {
    // Not a key at all: the same outage.
  }
  throw malformed(what, 'a P-256 key in SPKI PEM');
};

/** Signs messages with one key, each on its own: an answer for each in order. Throws `Outage` when all of them fail. */
export const signWithTransit = async (
  ask: Ask,
  mount: string,
  name: KeyName,
  messages: readonly Uint8Array[],
): Promise<readonly Result<Uint8Array, Outage>[]> => {
  const what = `signing with ${name}`;
  const answer = await ask({ what, method: 'POST', path: signPath(mount, name), body: signBody(messages) });
  if (!answer.ok) throw outageOf(what, answer.error);
  const results = at(answer.value, 'data', 'batch_results');
  if (!Array.isArray(results) || results.length !== messages.length)
    throw malformed(what, `${messages.length} data.batch_results`);
  return results.map((result: unknown) => signatureIn(what, result));
};

/** Throws `Outage` unless we may sign: asks for a signature by a key that is not there, and Vault gets as far as not finding it. */
export const probeTransit = async (ask: Ask, mount: string): Promise<void> => {
  const what = `checking that ${mount}/sign may be used`;
  const answer = await ask({ what, method: 'POST', path: signPath(mount, NO_SUCH_KEY), body: signBody([new Uint8Array()]) });
  const notFound = !answer.ok && answer.error.statusCode === 400 && /key not found/.test(answer.error.reasons);
  if (!answer.ok && !notFound) throw outageOf(what, answer.error);
};

const signPath = (mount: string, name: KeyName): string => `${mount}/sign/${name}/sha2-256`;

/** `jws` asks for r‖s; the default is DER, which WebCrypto refuses. */
const signBody = (messages: readonly Uint8Array[]): NonNullable<VaultRequest['body']> => ({
  batch_input: messages.map((message) => ({ input: Buffer.from(message).toString('base64') })),
  marshaling_algorithm: 'jws',
  key_version: Number(VERSION),
});

/** Vault answers 200 for the batch even when items of it failed. */
const signatureIn = (what: string, result: unknown): Result<Uint8Array, Outage> => {
  const error = at(result, 'error');
  const signature = at(result, 'signature');
  if (typeof error === 'string' && error !== '') return err(itemOutage(what, shown(error, [])));
  const base64url = typeof signature === 'string' ? SIGNATURE.exec(signature)?.[1] : undefined;
  if (base64url === undefined) return err(malformed(what, 'vault:v1: and the base64url of 64 bytes'));
  const bytes = Buffer.from(base64url, 'base64url');
  // 86 characters hold four bits more than 64 bytes need: they must be zero, or two texts would be one signature.
  if (bytes.length !== SIGNATURE_BYTES || bytes.toString('base64url') !== base64url) return err(malformed(what, '64 bytes'));
  return ok(bytes);
};

const itemOutage = (what: string, reason: string): Outage =>
  /key version/.test(reason) ? refused(`${what}: ${reason}: ${BACK_TO_VERSION}`) : unavailable(`${what}: ${reason}`);
