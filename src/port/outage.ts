/** The parts the ledger stands on; health and problem bodies name them with these words. */
export type Dependency = 'store' | 'signer' | 'postgres';

export type OutageCode =
  | 'store-unavailable'
  | 'store-refused'
  | 'signer-unavailable'
  | 'signer-refused'
  | 'postgres-unavailable'
  | 'deadline-exceeded';

/**
 * A dependency did not do what was asked: it is down, slow, or refused us. Thrown by adapters, never by pure code.
 * Whether the request was applied all the same is unknown, unless the port's contract says otherwise.
 * `message` and `cause` never hold a secret: adapters redact before they throw.
 */
export class Outage extends Error {
  readonly code: OutageCode;
  readonly dependency: Dependency;

  constructor(dependency: Dependency, code: OutageCode, message: string, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause });
    this.name = 'Outage';
    this.dependency = dependency;
    this.code = code;
  }
}
