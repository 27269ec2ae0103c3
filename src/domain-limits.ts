/** Numbers of PixPax itself: of books, collections, packs, codes and trades. Part of `limits`, and read through it. */
export const domainLimits = {
  /** Invitations of an account that nobody accepted or withdrew, and how long one is good for. */
  invitationsPerAccount: 50,
  invitationMs: 7 * 24 * 3_600_000,
  /** Closed books an identity may have had of one collection. */
  pixbookGenerations: 1_000,
  /** A collection's catalogue: each version of it is one receipt. */
  cardsPerCollection: 250,
  seriesPerCollection: 50,
  /** Titles of collections, series, cards and drops. */
  titleChars: 100,
  /** Drops a collection may have had: ten years of weekly ones and some more. Its state is read whole for each of its commands. */
  dropsPerCollection: 1_000,
  /** Cards of one pack (domain.md), and of one grant, removal or side of a trade. */
  cardsPerPack: 50,
  defaultPackCards: 5,
  cardsPerCommand: 50,
  /** Why cards were added or removed. */
  reasonChars: 200,
  /** A secret that is sealed, and its sealed text: a seed has 32 bytes. */
  sealedSecretBytes: 64,
  sealedSeedChars: 500,
  /** Trades of one book, offered or reserved, that have not ended. */
  openTradesPerBook: 100,
  /** How long an offer may stand, and at least stands: clocks differ. */
  offerMaxMs: 30 * 24 * 3_600_000,
  offerMinMs: 60_000,
  /** A refusal that tells about a code is answered no sooner than this after the request began: time must not tell more. */
  codeRefusalMs: 250,
  /** Codes or packs of one batch. */
  codesPerBatch: 500,
  packsPerBatch: 1_000,
  /** The secret that codes are made and named with, and a code as a person types it: 12 characters and what they put between. */
  codeSecretMinBytes: 32,
  typedCodeChars: 64,
} as const;
