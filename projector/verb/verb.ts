import type { ArgsDef } from 'citty';
import type { S3Credentials } from '../../src/adapter/store-url.ts';
import type { PublicKeyId } from '../../src/receipt/ids.ts';
import type { Verdict } from '../ledger-fault.ts';
import type { Progress } from '../ledger-report.ts';

/** What the projector needs of the service's configuration. */
export type ProjectorConfig = {
  /** As `RECEIPT_STORE` has it. */
  readonly receiptStore: string;
  readonly s3: S3Credentials | null;
  readonly database: { readonly kind: 'embedded'; readonly directory: string } | { readonly kind: 'url'; readonly url: string };
  readonly trust: PublicKeyId | null;
};

/** 0 all is well · 1 the ledger, or what was made of it, is wrong · 2 wrong use or an unavailable dependency · 3 incomplete. */
export type ExitCode = 0 | 1 | 2 | 3;

export const exitCodeOf: { readonly [V in Verdict]: ExitCode } = { valid: 0, invalid: 1, incomplete: 3 };

/** What a verb came to, for people and for programs. */
export type VerbResult = { readonly exitCode: ExitCode; readonly text: string; readonly json: object };

/** The arguments of a verb as they were given, switches as `yes` and `no`; null for one that was not. */
export type VerbArguments = { readonly [name: string]: string | null };

export type VerbContext = {
  readonly args: VerbArguments;
  /** Parsed when first asked for: some verbs need none of it. Throws `WrongUse`. */
  readonly config: () => ProjectorConfig;
  readonly onProgress: (progress: Progress) => void;
  /** Tells people what takes long. */
  readonly say: (sentence: string) => void;
};

/** A verb of the command line. Throws `WrongUse` and `Outage`. */
export type Verb = {
  readonly name: string;
  readonly description: string;
  readonly args: ArgsDef;
  readonly run: (context: VerbContext) => Promise<VerbResult>;
};

/** The command was not given as it must be; the message says what to do. */
export class WrongUse extends Error {}
