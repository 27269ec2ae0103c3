/**
 * Seals secrets that lie in public until they are revealed: the seeds of drops (domain rule 6).
 *
 * A sealed text can be opened again by any process with the same keys, for as long as the ledger lives, also after those keys were rotated.
 * Failure: every call may throw `Outage` of the `signer`, which keeps the keys (`signer-unavailable` when it may work later;
 * `signer-refused` when it will go on saying no: permission, a text that was changed, another context). Error texts never hold a
 * secret. Any number of calls may run at once.
 */
export interface Sealer {
  /** Which sealer this is, for people. Never holds a credential. */
  readonly description: string;
  /**
   * The secret (1 to `limits.sealedSecretBytes` bytes), sealed: printable ASCII, at most `limits.sealedSeedChars` characters. `context` is
   * public and bound to it: unsealing with another one fails. Not deterministic.
   */
  seal(context: string, secret: Uint8Array): Promise<string>;
  /** The secret that was sealed with this context. */
  unseal(context: string, sealed: string): Promise<Uint8Array>;
  /** Lets go of what the sealer holds. */
  close(): Promise<void>;
}
