import type { ApiDocument } from './api-document.ts';
import { type BookDirectory, bookDirectory } from './book-directory.ts';
import { type ColdReadIfFree, boundedColdReads } from './cold-read-if-free.ts';
import type { HttpParts } from './parts.ts';
import { type PlanDirectory, planDirectory } from './plan-directory.ts';
import { type SecurityFields, securityFields } from './security-field.ts';
import { sharedHealth } from './shared-health.ts';
import { type Traffic, traffic } from './traffic.ts';
import { type VerifyIfFree, boundedVerifications } from './verify-if-free.ts';

/** The parts, with what this process keeps between requests. */
export type Service = HttpParts & {
  readonly books: BookDirectory;
  readonly plans: PlanDirectory;
  readonly traffic: Traffic;
  readonly verifyIfFree: VerifyIfFree;
  readonly coldReadIfFree: ColdReadIfFree;
  /** Origins that may use a session cookie and read answers: our own and the trusted ones. */
  readonly origins: ReadonlySet<string>;
  readonly securityFields: SecurityFields;
  /** The API description, made when first asked for. */
  readonly document: () => Promise<ApiDocument>;
};

export const openService = (parts: HttpParts, describe: () => Promise<ApiDocument>): Service => {
  let document: Promise<ApiDocument> | null = null;
  return {
    ...parts,
    health: sharedHealth(parts.health, parts.clock),
    books: bookDirectory(parts.queries),
    plans: planDirectory(parts.queries, parts.clock),
    traffic: traffic(parts.metrics, parts.log),
    verifyIfFree: boundedVerifications(parts.verifyStream),
    coldReadIfFree: boundedColdReads(parts.cold),
    origins: new Set([new URL(parts.config.publicUrl).origin, ...parts.config.trustedOrigins]),
    securityFields: securityFields(parts.config.publicUrl),
    document: () => (document ??= describe()),
  };
};
