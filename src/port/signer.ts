import type { IdentityId } from '../receipt/ids.ts';

/** Name of a key pair in the signer: `pixpax-{identityId}-{generation}`, nothing but `A-Z a-z 0-9 _ -`. */
export type KeyName = `pixpax-${string}`;

/** The signer's name of an identity's key: each rotation makes a new key, so that no version is ever trimmed. Generations count from 1. */
export const keyNameOf = (identityId: IdentityId, keyGeneration: number): KeyName => `pixpax-${identityId}-${keyGeneration}`;

/**
 * Custody of the P-256 keys: private keys never leave it.
 *
 * Failure: every call may throw `Outage` (`signer-unavailable` when it may work later; `signer-refused` when it says no and will go on
 * saying no: permission, unknown key). Error texts never hold a token or a key. Any number of calls may run at once.
 */
export interface Signer {
  /** Which signer this is, for people: `local keys in /path` or `vault at https://…`. Never holds a credential. */
  readonly description: string;
  /**
   * Makes the P-256 key pair `name` unless there is one, and returns its public key as SPKI DER (91 bytes). Idempotent: called twice, by
   * any number of processes at once, it returns the same key.
   */
  createKey(name: KeyName): Promise<Uint8Array>;
  /** ECDSA P-256 with SHA-256 over `message`: 64 bytes r‖s, big-endian, *not* necessarily low-S, *not* deterministic. */
  sign(name: KeyName, message: Uint8Array): Promise<Uint8Array>;
  /** Resolves when signing can be expected to work now; throws `Outage` with the reason otherwise. For health checks. */
  check(): Promise<void>;
  /** Stops renewal loops and lets go of sockets. */
  close(): Promise<void>;
}
