import type { Logger } from 'pino';
import type { Registry } from 'prom-client';
import type { BatchCommands } from '../command/batch-commands.ts';
import type { Book, LedgerCommands, Offer } from '../command/ledger-commands.ts';
import type { RunCommands } from '../command/runs.ts';
import type { AuditTrail } from '../port/audit-trail.ts';
import type { Authentication } from '../port/authentication.ts';
import type { Clock } from '../port/clock.ts';
import type { LedgerQueries } from '../port/ledger-queries.ts';
import type { Limiter } from '../port/limiter.ts';
import type { Meter } from '../port/meter.ts';
import type { Dependency } from '../port/outage.ts';
import type { ReceiptStore } from '../port/receipt-store.ts';
import type { Head } from '../receipt/chain.ts';
import type { AccountId, CodeId, InvitationId, PackId, PublicKeyId } from '../receipt/ids.ts';
import type { JsonObject } from '../receipt/json.ts';
import type { Stream } from '../receipt/stream.ts';
import type { ColdReads } from '../snapshot/cold-reads.ts';
import type { Code } from '../stream/code/secret.ts';

/** `reason` is one sentence for people and is shown to anyone: no addresses, no secrets. */
export type DependencyHealth = { readonly status: 'ok' } | { readonly status: 'down'; readonly reason: string };

/** What the ledger stands on, each part named. */
export type Health = { readonly [D in Dependency]: DependencyHealth };

/** The first fault of a stream: the object key it was found at, and what is wrong with it. */
export type StreamFault = { readonly key: string; readonly code: string; readonly detail: string };

/** `receipts` counts those that are good, from position 0; `head` is the last of them. */
export type StreamVerification = {
  readonly valid: boolean;
  readonly receipts: number;
  readonly head: Head | null;
  readonly fault?: StreamFault;
};

/** Verifies every receipt of one stream, and of the account streams its signatures stand on, from the store. Throws `Outage`. */
export type VerifyStream = (stream: Stream) => Promise<StreamVerification>;

/** The trust anchor (receipt.md §6): the operator's first key. */
export type LedgerIdentity = {
  readonly fingerprint: PublicKeyId;
  /** Standard base64 of the SPKI DER of that key. */
  readonly publicKey: string;
};

/**
 * What proves a trade or a pack to somebody who has nothing but the trust anchor: made from the store. Null while there is nothing to prove: a
 * trade that is not accepted, a pack that is not there. Throws `Outage`.
 */
export type Certificates = {
  tradeCertificate(offer: Offer): Promise<JsonObject | null>;
  packCertificate(book: Book, packId: PackId): Promise<JsonObject | null>;
};

/** The name of a code, over the secret that the service keeps. */
export type CodeNames = { codeIdOf(code: Code): CodeId };

/** The secrets of invitations, over the key that the service keeps. */
export type InvitationSecrets = {
  secretOf(accountId: AccountId, invitationId: InvitationId): string;
  isSecret(accountId: AccountId, invitationId: InvitationId, text: string): boolean;
};

export type HttpConfig = {
  /** Where the service is reached from outside: `https://…`, without a trailing slash. */
  readonly publicUrl: string;
  /** Origins whose pages may use the API, cookies included, besides that of `publicUrl`. */
  readonly trustedOrigins: readonly string[];
  /** How many proxies in front of us add to `X-Forwarded-For`; with 0 the field is not believed. */
  readonly trustedProxies: number;
  /** What a scraper shows to read the metrics. Null: none may. */
  readonly metricsToken: string | null;
};

/** Everything the HTTP layer is made of. */
export type HttpParts = {
  readonly commands: LedgerCommands;
  readonly batches: BatchCommands;
  readonly runs: RunCommands;
  readonly auditTrail: AuditTrail;
  /** What the commands above are counted by. */
  readonly meter: Pick<Meter, 'commands'>;
  readonly queries: LedgerQueries;
  readonly store: ReceiptStore;
  /** What the store alone can tell, without the projection. */
  readonly cold: ColdReads;
  readonly authentication: Authentication;
  readonly limiter: Limiter;
  /** Asks every dependency, each within a deadline of its own. Never rejects. */
  readonly health: () => Promise<Health>;
  readonly verifyStream: VerifyStream;
  readonly certificates: Certificates;
  readonly codeNames: CodeNames;
  readonly invitations: InvitationSecrets;
  readonly ledger: LedgerIdentity;
  readonly clock: Clock;
  readonly log: Logger;
  readonly metrics: Registry;
  readonly config: HttpConfig;
};
