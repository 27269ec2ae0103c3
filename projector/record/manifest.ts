import { type KeyObject, createPublicKey, hash, sign } from 'node:crypto';
import { z } from 'zod';
import { canonicalBytes, parseCanonical } from '../../src/receipt/canonical.ts';
import { publicKeyIdOf } from '../../src/receipt/hash.ts';
import { type Instant, type PublicKeyId, parseInstant, parsePublicKeyId } from '../../src/receipt/ids.ts';
import type { JsonObject } from '../../src/receipt/json.ts';
import {
  parsePublicKeyText,
  parseSignature,
  rawOfDer,
  signatureText,
  toLowS,
  verifySignature,
} from '../../src/receipt/signature.ts';
import { type Result, err, ok } from '../../src/result.ts';

/** Raised when verification gets stricter: what an older one passed is then not taken as verified. */
export const VERIFIER_VERSION = 1;

const branded = <T extends string>(parse: (text: unknown) => { readonly ok: boolean }): z.ZodType<T> =>
  z.custom<T>((text) => parse(text).ok);
const count = z.int().min(0);
const sha256 = z.string().regex(/^[0-9a-f]{64}$/);

const statement = z.strictObject({
  version: z.literal(1),
  verifier: z.int().min(1),
  /** The operator's first key, on which the ledger rests. */
  fingerprint: branded<PublicKeyId>(parsePublicKeyId),
  /** What was read, for people. */
  source: z.string(),
  /** When the run began: what was read was there by then, or came later. */
  startedAt: branded<Instant>(parseInstant),
  createdAt: branded<Instant>(parseInstant),
  chunks: z.array(z.strictObject({ sha256, streams: count.min(1) })),
  streams: count,
  receipts: count,
  /** `sha256` of the manifest that this run started from. */
  previous: z.nullable(sha256),
});

/** What a verifier states: which streams were true up to where. */
export type Statement = z.infer<typeof statement>;

const manifest = statement.extend({ publicKey: z.string(), signature: z.string() });

/** A statement that is the word of `signedBy`; `sha256`: 64 hex over its bytes. */
export type Manifest = { readonly statement: Statement; readonly signedBy: PublicKeyId; readonly sha256: string };

export const fingerprintOf = (key: KeyObject): PublicKeyId => publicKeyIdOf(spkiOf(key));

const spkiOf = (key: KeyObject): Buffer => createPublicKey(key).export({ type: 'spki', format: 'der' });

/** The bytes of a signed statement: canonical JSON, with the public key and an ECDSA P-256 signature over all the rest, as a receipt's. */
export const sealManifest = (stated: Statement, key: KeyObject): Uint8Array => {
  const unsigned: JsonObject = { ...stated, publicKey: spkiOf(key).toString('base64') };
  const raw = toLowS(rawOfDer(sign('sha256', canonicalBytes(unsigned), key)));
  return canonicalBytes({ ...unsigned, signature: signatureText(raw) });
};

/** Reads a manifest strictly. Errors: what is wrong with it, for people. Whose word it is the caller has to look at. */
export const parseManifest = (bytes: Uint8Array): Result<Manifest, string> => {
  const read = parseCanonical(bytes);
  const parsed = read.ok ? manifest.safeParse(read.value.value) : null;
  if (!parsed?.success) return err('it is not the canonical JSON of a record');
  const { signature, ...unsigned } = parsed.data;
  const { publicKey, ...stated } = unsigned;
  const key = parsePublicKeyText(publicKey);
  const raw = parseSignature(signature);
  if (!key.ok || !raw.ok || !verifySignature(key.value.key, canonicalBytes(unsigned), raw.value))
    return err('its signature is not by the key that it carries');
  return ok({ statement: stated, signedBy: publicKeyIdOf(key.value.spki), sha256: hash('sha256', bytes, 'hex') });
};
