import type {
  AccountId,
  BookId,
  CardId,
  CodeId,
  CollectionId,
  DropId,
  IdentityId,
  InstanceId,
  PackId,
  SeriesId,
  TradeId,
  UserId,
} from '../../src/receipt/ids.ts';
import type { Want } from '../../src/stream/pixbook/event.ts';

/**
 * The rules of the ledger in the plainest words: one table of who owns which copy, changed in place. It knows no streams, no receipts and no
 * projection, and shares no code with those who do.
 */
export type Reckoning = {
  readonly roles: Map<AccountId, Map<UserId, string>>;
  readonly identities: Map<IdentityId, { readonly accountId: AccountId; readonly controller: UserId; isRevoked: boolean }>;
  readonly collections: Map<CollectionId, Collection>;
  readonly books: Map<BookId, Book>;
  readonly copies: Map<InstanceId, Copy>;
  readonly codes: Map<CodeId, Code>;
  readonly trades: Map<TradeId, Trade>;
};

export type Collection = {
  readonly cards: { readonly cardId: CardId; readonly seriesId: SeriesId }[];
  readonly retired: Set<SeriesId>;
  readonly drops: Map<DropId, { isOpen: boolean; readonly packSize: number }>;
};
export type Book = {
  readonly accountId: AccountId;
  readonly bookId: BookId;
  readonly identityId: IdentityId;
  readonly collectionId: CollectionId;
  isClosed: boolean;
  readonly packs: Map<PackId, { isOpened: boolean; readonly dropId: DropId | null }>;
};
/** `keptBy`: the trade in whose escrow it is. */
export type Copy = { readonly cardId: CardId; owner: BookId; keptBy: TradeId | null };
export type Code = {
  readonly collectionId: CollectionId;
  readonly dropId: DropId;
  status: 'open' | 'revoked' | 'claimed';
  claimant: BookId | null;
  hasPack: boolean;
};
export type Trade = {
  readonly tradeId: TradeId;
  readonly from: BookId;
  readonly to: BookId;
  readonly give: readonly InstanceId[];
  readonly want: Want;
  readonly expiresMs: number;
  status: 'offered' | 'accepted' | 'declined' | 'cancelled' | 'expired';
  reservation: { status: 'reserved' | 'settled' | 'released'; readonly give: readonly InstanceId[] } | null;
};

export const newReckoning = (): Reckoning => ({
  ...{ roles: new Map(), identities: new Map(), collections: new Map(), books: new Map() },
  ...{ copies: new Map(), codes: new Map(), trades: new Map() },
});

/** Accepted, and the accepter's book has not heard of it. */
const isUnderWay = ({ status, reservation }: Trade): boolean => status === 'accepted' && reservation?.status === 'reserved';

/** Whether a book shows a copy: its own unless it is still on its way here, and one that is still on its way from here. */
export const shows = ({ copies, trades }: Reckoning, bookId: BookId, instanceId: InstanceId): boolean => {
  const moving = [...trades.values()].filter(isUnderWay);
  if (moving.some(({ to, reservation }) => to === bookId && reservation?.give.includes(instanceId))) return true;
  const arrives = moving.some(({ to, give }) => to === bookId && give.includes(instanceId));
  return copies.get(instanceId)?.owner === bookId && !arrives;
};

/** Why a book cannot part with these copies, or null. */
export const notFree = (reckoning: Reckoning, bookId: BookId, instanceIds: readonly InstanceId[]): string | null => {
  if (new Set(instanceIds).size !== instanceIds.length) return 'card-twice';
  for (const instanceId of instanceIds) {
    const copy = reckoning.copies.get(instanceId);
    if (!shows(reckoning, bookId, instanceId)) return 'card-not-held';
    if (copy?.owner !== bookId || copy.keptBy !== null) return 'card-in-escrow';
  }
  return null;
};

/** Whether a heap of copies is what an offer wants. */
export const satisfies = ({ copies }: Reckoning, want: Want, given: readonly InstanceId[]): boolean => {
  const left = given.filter((instanceId) => !want.instanceIds.includes(instanceId));
  const cards = left.map((instanceId) => copies.get(instanceId)?.cardId ?? '').sort();
  return given.length === want.instanceIds.length + want.cardIds.length && cards.join() === [...want.cardIds].sort().join();
};

/** Why a user may not sign as an identity, or null. */
export const notAllowed = ({ roles, identities }: Reckoning, userId: UserId, identityId: IdentityId): string | null => {
  const identity = identities.get(identityId);
  if (identity === undefined) return 'not-found';
  const role = roles.get(identity.accountId)?.get(userId);
  if (role === undefined) return 'not-found';
  if (role === 'viewer') return 'forbidden';
  if (role !== 'owner' && role !== 'operator' && identity.controller !== userId) return 'forbidden';
  return identity.isRevoked ? 'identity-revoked' : null;
};

/** What is left to draw from. */
export const poolOf = ({ cards, retired }: Collection): readonly CardId[] =>
  cards.filter(({ seriesId }) => !retired.has(seriesId)).map(({ cardId }) => cardId);

/** How many trades keep a book from being closed. */
export const openTradesOf = ({ trades }: Reckoning, bookId: BookId): number =>
  [...trades.values()].filter(
    ({ from, to, status, reservation }) =>
      (from === bookId && status === 'offered') || (to === bookId && reservation?.status === 'reserved'),
  ).length;

/** The copies of a trade, no longer kept by it. */
export const free = ({ copies }: Reckoning, instanceIds: readonly InstanceId[]): void => {
  for (const instanceId of instanceIds) move(copies.get(instanceId), null, null);
};

/** A copy changes hands (or not: `owner` null), and escrow. */
export const move = (copy: Copy | undefined, owner: BookId | null, keptBy: TradeId | null): void => {
  if (copy === undefined) throw new Error('the reckoning has lost a copy');
  copy.owner = owner ?? copy.owner;
  copy.keptBy = keptBy;
};
