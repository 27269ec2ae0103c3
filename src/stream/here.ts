import type { EventId, Instant, ReceiptHash } from '../receipt/ids.ts';

/** Where in its stream, and when, an event comes about: what a decision may rest on besides the state. */
export type Here = {
  readonly eventId: EventId;
  /** `createdAt` of the receipt. */
  readonly at: Instant;
};

/** As `Here`, once the receipt exists. */
export type Place = Here & { readonly hash: ReceiptHash };
