import { createHash } from 'node:crypto';
import { type Result, err, ok } from '../result.ts';

declare const brand: unique symbol;
type Branded<Name extends string> = string & { readonly [brand]: Name };

/** `acc_operator`, or `acc_` and 26 Crockford characters. */
export type AccountId = Branded<'AccountId'>;
/** `idn_operator`, or `idn_` and 26 Crockford characters. */
export type IdentityId = Branded<'IdentityId'>;
/** `inv_` and 26 Crockford characters. */
export type InvitationId = Branded<'InvitationId'>;
/** `bk_` and 26 Crockford characters. */
export type BookId = Branded<'BookId'>;
/** `col_` and 26 Crockford characters. */
export type CollectionId = Branded<'CollectionId'>;
/** `cod_` and 26 Crockford characters. */
export type CodeId = Branded<'CodeId'>;
/** `drp_` and 26 Crockford characters. */
export type DropId = Branded<'DropId'>;
/** `pck_` and 26 Crockford characters. */
export type PackId = Branded<'PackId'>;
/** `ins_` and 26 Crockford characters: one owned copy of a card. */
export type InstanceId = Branded<'InstanceId'>;
/** `trd_` and the event id of the offer. */
export type TradeId = Branded<'TradeId'>;
/** An issuer's own name of a card in its collection: 1 to 64 of `a-z 0-9 -`, not first a `-`. */
export type CardId = Branded<'CardId'>;
/** As `CardId`, of a series. */
export type SeriesId = Branded<'SeriesId'>;
/** `sha256:` and 64 lower-case hex: of a card's art, of a drop's seed, of any bytes. */
export type Sha256 = Branded<'Sha256'>;
/** 64 lower-case hex: the 32 bytes of a drop's seed, once it is revealed. */
export type Seed = Branded<'Seed'>;
/** 26 upper-case Crockford characters, a valid ULID (receipt.md §3). */
export type EventId = Branded<'EventId'>;
/** `sha256:` and 64 lower-case hex: SHA-256 of the SPKI DER of a public key. */
export type PublicKeyId = Branded<'PublicKeyId'>;
/** `sha256:` and 64 lower-case hex: the hash of a receipt. */
export type ReceiptHash = Branded<'ReceiptHash'>;
/** 1 to 255 visible ASCII characters. */
export type IdempotencyKey = Branded<'IdempotencyKey'>;
/** The sign-in system's id of a user: 1 to 64 of `A-Z a-z 0-9 _ -`. */
export type UserId = Branded<'UserId'>;
/** UTC with milliseconds, `YYYY-MM-DDTHH:MM:SS.sssZ`; a date that exists. */
export type Instant = Branded<'Instant'>;

/** A text that is not what its parser asks for. */
export type MalformedId = { readonly code: 'malformed-id'; readonly expected: string };

const ULID = '[0-7][0-9A-HJKMNP-TV-Z]{25}';
const SHA256_TAGGED = /^sha256:[0-9a-f]{64}$/;

/** Consecutive receipts of a stream repeat most of their ids: comparing with the last one is cheaper than matching again. */
const parser = <T extends string>(pattern: RegExp, expected: string): ((text: unknown) => Result<T, MalformedId>) => {
  let last: string | undefined;
  return (text) => {
    if (typeof text !== 'string' || (text !== last && !pattern.test(text))) return err({ code: 'malformed-id', expected });
    last = text;
    return ok(text as T);
  };
};

/** Parsers: the only way to make a branded id from text. Each returns `malformed-id` otherwise. */
export const parseAccountId = parser<AccountId>(new RegExp(`^acc_(?:operator|${ULID})$`), 'acc_ and 26 Crockford characters');
export const parseIdentityId = parser<IdentityId>(new RegExp(`^idn_(?:operator|${ULID})$`), 'idn_ and 26 Crockford characters');
export const parseInvitationId = parser<InvitationId>(new RegExp(`^inv_${ULID}$`), 'inv_ and 26 Crockford characters');
export const parseBookId = parser<BookId>(new RegExp(`^bk_${ULID}$`), 'bk_ and 26 Crockford characters');
export const parseCollectionId = parser<CollectionId>(new RegExp(`^col_${ULID}$`), 'col_ and 26 Crockford characters');
export const parseCodeId = parser<CodeId>(new RegExp(`^cod_${ULID}$`), 'cod_ and 26 Crockford characters');
export const parseDropId = parser<DropId>(new RegExp(`^drp_${ULID}$`), 'drp_ and 26 Crockford characters');
export const parsePackId = parser<PackId>(new RegExp(`^pck_${ULID}$`), 'pck_ and 26 Crockford characters');
export const parseInstanceId = parser<InstanceId>(new RegExp(`^ins_${ULID}$`), 'ins_ and 26 Crockford characters');
export const parseTradeId = parser<TradeId>(new RegExp(`^trd_${ULID}$`), 'trd_ and 26 Crockford characters');
const CATALOGUE_NAME = /^[a-z0-9][a-z0-9-]{0,63}$/;
export const parseCardId = parser<CardId>(CATALOGUE_NAME, '1 to 64 of a-z 0-9 -, not first a -');
export const parseSeriesId = parser<SeriesId>(CATALOGUE_NAME, '1 to 64 of a-z 0-9 -, not first a -');
export const parseSha256 = parser<Sha256>(SHA256_TAGGED, 'sha256: and 64 lower-case hex');
export const parseSeed = parser<Seed>(/^[0-9a-f]{64}$/, '64 lower-case hex');
export const parseEventId = parser<EventId>(new RegExp(`^${ULID}$`), '26 Crockford characters');
export const parsePublicKeyId = parser<PublicKeyId>(SHA256_TAGGED, 'sha256: and 64 lower-case hex');
export const parseReceiptHash = parser<ReceiptHash>(SHA256_TAGGED, 'sha256: and 64 lower-case hex');
export const parseIdempotencyKey = parser<IdempotencyKey>(/^[\x21-\x7e]{1,255}$/, '1 to 255 visible ASCII characters');
export const parseUserId = parser<UserId>(/^[A-Za-z0-9_-]{1,64}$/, '1 to 64 of A-Z a-z 0-9 _ -');

const INSTANT = /^\d{4}-(?:0[1-9]|1[0-2])-(?:[0-2]\d|3[01])T(?:[01]\d|2[0-3]):[0-5]\d:[0-5]\d\.\d{3}Z$/;

/** An instant must have the exact form and be a date that exists: it survives a round trip through the clock. */
export const parseInstant = (text: unknown): Result<Instant, MalformedId> =>
  typeof text === 'string' && INSTANT.test(text) && dayExists(text)
    ? ok(text as Instant)
    : err({ code: 'malformed-id', expected: 'YYYY-MM-DDTHH:MM:SS.sssZ' });

/** Every month has the days 01 to 28; the clock knows the others. */
const dayExists = (text: string): boolean => {
  const day = Number(text.slice(8, 10));
  return day >= 1 && (day <= 28 || new Date(Date.parse(text)).toJSON() === text);
};

/** Milliseconds since 1970 → an `Instant`. Throws RangeError outside years 0000–9999 (a clock that far off is a bug). */
export const instantOf = (epochMs: number): Instant => {
  const parsed = parseInstant(new Date(epochMs).toISOString());
  if (!parsed.ok) throw new RangeError(`no instant for ${epochMs} ms`);
  return parsed.value;
};

/** An `Instant` → milliseconds since 1970. */
export const epochMsOf = (instant: Instant): number => Date.parse(instant);

const CROCKFORD = '0123456789ABCDEFGHJKMNPQRSTVWXYZ';

/** Two characters for each number of 10 bits. */
const CROCKFORD_PAIRS = Array.from({ length: 1024 }, (_, bits) => CROCKFORD.charAt(bits >> 5) + CROCKFORD.charAt(bits & 31));

/** Most significant bits first; `bytes.length * 8` must not exceed `chars * 5`; left-padded with zero bits. */
export const crockford = (bytes: Uint8Array, chars: number): string => {
  let text = '';
  let at = bytes.length;
  let pending = 0;
  let pendingBits = 0;
  for (let i = chars; i > 0; i -= 2) {
    while (pendingBits < 10 && at > 0) {
      pending |= (bytes[--at] ?? 0) << pendingBits;
      pendingBits += 8;
    }
    const pair = CROCKFORD_PAIRS[pending & 1023] ?? '';
    text = (i === 1 ? pair.charAt(1) : pair) + text;
    pending >>>= 10;
    pendingBits -= 10;
  }
  return text;
};

/** As `crockford`, of bytes as hex, whose length must be a multiple of 5: 20 bits are 4 characters. */
export const crockfordOfHex = (hex: string): string => {
  let text = '';
  for (let at = 0; at < hex.length; at += 5) {
    const bits = Number.parseInt(hex.slice(at, at + 5), 16);
    text += (CROCKFORD_PAIRS[bits >> 10] ?? '') + (CROCKFORD_PAIRS[bits & 1023] ?? '');
  }
  return text;
};

/** 26 Crockford characters from SHA-256 of `domain` NUL part NUL part …, first 16 bytes. Parts must not hold NUL. */
export const derivedUlid = (domain: string, ...parts: readonly string[]): string =>
  crockford(
    createHash('sha256')
      .update([domain, ...parts].join('\0'))
      .digest()
      .subarray(0, 16),
    26,
  );

/** The operator's own account and identity (receipt.md §6). */
export const OPERATOR_ACCOUNT_ID = 'acc_operator' as AccountId;
export const OPERATOR_IDENTITY_ID = 'idn_operator' as IdentityId;
/** Who asks for what the service does by the clock. Nobody signs in as this. */
export const SCHEDULE_USER_ID = 'ledger-schedule' as UserId;

/** A tenant's account id depends on who asked and with which key, so that asking twice collides even on a wiped database. */
export const accountIdFor = (userId: UserId, key: IdempotencyKey): AccountId =>
  `acc_${derivedUlid('pixpax/account-id/v1', userId, key)}` as AccountId;

/** An identity id depends on its account and the idempotency key of its creation, for the same reason. */
export const identityIdFor = (accountId: AccountId, key: IdempotencyKey): IdentityId =>
  `idn_${derivedUlid('pixpax/identity-id/v1', accountId, key)}` as IdentityId;

/** An invitation's id, likewise. */
export const invitationIdFor = (accountId: AccountId, key: IdempotencyKey): InvitationId =>
  `inv_${derivedUlid('pixpax/invitation-id/v1', accountId, key)}` as InvitationId;

/** Domain rule 9: identity, collection and generation: 1 more than the closed ones, so 1 for the first. */
export const bookIdFor = (identityId: IdentityId, collectionId: CollectionId, generation: number): BookId =>
  `bk_${derivedUlid('pixpax/book-id/v1', identityId, collectionId, String(generation))}` as BookId;

/** A collection's id depends on the identity that first published it and the idempotency key of that command. */
export const collectionIdFor = (identityId: IdentityId, key: IdempotencyKey): CollectionId =>
  `col_${derivedUlid('pixpax/collection-id/v1', identityId, key)}` as CollectionId;

/** A drop's id depends on its collection and the idempotency key of its opening. */
export const dropIdFor = (collectionId: CollectionId, key: IdempotencyKey): DropId =>
  `drp_${derivedUlid('pixpax/drop-id/v1', collectionId, key)}` as DropId;

/** Domain rule 5: a book has one pack of a drop, because there is one id for it. */
export const dropPackIdFor = (dropId: DropId, bookId: BookId): PackId =>
  `pck_${derivedUlid('pixpax/drop-pack-id/v1', dropId, bookId)}` as PackId;

/** Domain rule 5: a code is worth one pack, whoever claims it. */
export const codePackIdFor = (codeId: CodeId): PackId => `pck_${derivedUlid('pixpax/code-pack-id/v1', codeId)}` as PackId;

/** Domain rule 4: the copy in a slot (from 0) of a pack. */
export const packInstanceIdFor = (packId: PackId, slot: number, cardId: CardId): InstanceId =>
  `ins_${derivedUlid('pixpax/instance-id/v1', packId, String(slot), cardId)}` as InstanceId;

/** Domain rule 4: the copy that a CARD_ADDED receipt grants at an index (from 0). */
export const grantInstanceIdFor = (eventId: EventId, index: number): InstanceId =>
  `ins_${derivedUlid('pixpax/instance-id/v1', eventId, String(index))}` as InstanceId;

/** A trade is named by its offer. */
export const tradeIdOf = (offer: EventId): TradeId => `trd_${offer}` as TradeId;

/** The event id of the offer a trade is named by. */
export const offerEventIdOf = (tradeId: TradeId): EventId => tradeId.slice('trd_'.length) as EventId;
