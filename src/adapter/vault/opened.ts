import type { Result } from '../../result.ts';
import type { VaultCall, VaultRequest } from './connection.ts';
import type { VaultRefusal } from './failure.ts';

/** A call made with the session's token. */
export type Ask = (request: Omit<VaultRequest, 'token'>) => Promise<Result<unknown, VaultRefusal>>;

/** What signer and sealer share of one Vault: its connections and one login. */
export type OpenedVault = {
  readonly description: string;
  readonly transitMount: string;
  readonly ask: Ask;
  /** Without a token. */
  readonly call: VaultCall;
  /** Ends all of it, for both. Safe to call twice. */
  readonly close: () => Promise<void>;
};
