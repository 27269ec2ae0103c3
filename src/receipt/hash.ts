import { hash } from 'node:crypto';
import type { PublicKeyId, ReceiptHash } from './ids.ts';

/** `sha256:` and 64 lower-case hex of SHA-256 over the bytes a receipt's hash covers (receipt.md §1). */
export const receiptHashOf = (bytes: Uint8Array): ReceiptHash => `sha256:${hash('sha256', bytes, 'hex')}` as ReceiptHash;

/** The id of a public key: SHA-256 over its SPKI DER, tagged. */
export const publicKeyIdOf = (spki: Uint8Array): PublicKeyId => `sha256:${hash('sha256', spki, 'hex')}` as PublicKeyId;

/** SHA-256, 32 bytes, of the parts joined by NUL. Parts must not hold NUL themselves. */
export const digestOf = (...parts: readonly string[]): Buffer => hash('sha256', parts.join('\0'), 'buffer');
