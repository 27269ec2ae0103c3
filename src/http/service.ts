import type { ApiDocument } from './api-document.ts';
import { type BookDirectory, bookDirectory } from './book-directory.ts';
import type { HttpParts } from './parts.ts';
import { sharedHealth } from './shared-health.ts';
import { type Traffic, traffic } from './traffic.ts';
import { type VerifyIfFree, boundedVerifications } from './verify-if-free.ts';

/** The parts, with what this process keeps between requests. */
export type Service = HttpParts & {
  readonly books: BookDirectory;
  readonly traffic: Traffic;
  readonly verifyIfFree: VerifyIfFree;
  /** Origins that may use a session cookie and read answers: our own and the trusted ones. */
  readonly origins: ReadonlySet<string>;
  /** The API description, made when first asked for. */
  readonly document: () => Promise<ApiDocument>;
};

export const openService = (parts: HttpParts, describe: () => Promise<ApiDocument>): Service => {
  let document: Promise<ApiDocument> | null = null;
  return {
    ...parts,
    health: sharedHealth(parts.health, parts.clock),
    books: bookDirectory(parts.queries),
    traffic: traffic(parts.metrics, parts.log),
    verifyIfFree: boundedVerifications(parts.verifyStream),
    origins: new Set([new URL(parts.config.publicUrl).origin, ...parts.config.trustedOrigins]),
    document: () => (document ??= describe()),
  };
};
