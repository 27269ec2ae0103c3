import { type BookId, type CardId, type InstanceId, type Instant, type TradeId, tradeIdOf } from '../../receipt/ids.ts';
import { live } from './book.fixture.ts';
import type { PixbookCommand } from './command.ts';
import type { PixbookEvent } from './event.ts';
import { offerIn, reservationIn } from './state.ts';
import { type Step, type World, bookIn } from './trade-world.fixture.ts';

/** Who owns a copy, and the trade that binds it: in escrow, or arriving. */
export type Ownership = { readonly cardId: CardId; readonly owner: number; readonly bound: TradeId | null };

type ModelTrade = {
  readonly offerer: number;
  readonly accepter: number;
  readonly give: readonly InstanceId[];
  readonly want: { readonly instanceIds: readonly InstanceId[]; readonly cardIds: readonly CardId[] };
  readonly expiresAt: Instant;
  returned: readonly InstanceId[];
  offer: 'offered' | 'accepted' | 'ended';
  reservation: 'none' | 'reserved' | 'done';
};

/**
 * What the rules mean, naively: one table of all copies and one of all trades, in one place, where a trade changes hands at one moment. It
 * knows nothing of streams, of escrow rows or of receipts.
 */
export type Model = {
  readonly copies: Map<InstanceId, Ownership>;
  readonly trades: Map<TradeId, ModelTrade>;
  readonly packs: Map<string, 'issued' | 'opened'>;
  readonly closed: Set<number>;
  readonly heads: Map<number, string>;
};

export const newModel = (world: World): Model => {
  const model: Model = { copies: new Map(), trades: new Map(), packs: new Map(), closed: new Set(), heads: new Map() };
  world.books.forEach(({ log }, owner) => {
    for (const { event, place } of log) {
      model.heads.set(owner, place.eventId);
      if (event.type === 'CARD_ADDED')
        for (const { instanceId, cardId } of event.payload.cards) model.copies.set(instanceId, { cardId, owner, bound: null });
    }
  });
  return model;
};

/** Whether the rules allow what was tried. */
export const allows = (model: Model, world: World, { book, command, here }: Step): boolean => {
  if (model.closed.has(book)) return false;
  switch (command.type) {
    case 'save':
      return command.baseEventId === model.heads.get(book);
    case 'close':
      return ![...model.trades.values()].some(
        (trade) =>
          (trade.offerer === book && trade.offer === 'offered') || (trade.accepter === book && trade.reservation === 'reserved'),
      );
    case 'issue-pack':
      return !model.packs.has(`${book} ${command.packId}`);
    case 'open-pack':
      return model.packs.get(`${book} ${command.packId}`) === 'issued';
    case 'remove-cards':
      return canPart(model, book, command.instanceIds);
    case 'offer-trade':
      return (
        command.to?.bookId !== bookIn(world, book).owner.bookId &&
        command.collectionId === bookIn(world, book).collectionId &&
        canPart(model, book, command.give) &&
        new Set([...command.give, ...command.want.instanceIds]).size === command.give.length + command.want.instanceIds.length
      );
    case 'add-cards':
    case 'create-pixbook':
      return command.type === 'add-cards';
    default:
      return allowsTrade(model, book, command, here.at);
  }
};

type TradeMove = Extract<PixbookCommand, { tradeId: TradeId }>;

const allowsTrade = (model: Model, book: number, command: TradeMove, at: Instant): boolean => {
  const trade = model.trades.get(command.tradeId);
  if (trade === undefined) return false;
  const stands = trade.offer === 'offered';
  const inTime = at < trade.expiresAt;
  switch (command.type) {
    case 'reserve-trade': {
      const returned = [...trade.want.instanceIds, ...command.give];
      const cards = command.give.map((instanceId) => model.copies.get(instanceId)?.cardId).sort();
      const wanted = [...trade.want.cardIds].sort();
      return (
        book === trade.accepter &&
        trade.reservation === 'none' &&
        stands &&
        inTime &&
        canPart(model, book, returned) &&
        cards.length === wanted.length &&
        cards.every((card, i) => card === wanted[i]) &&
        !trade.give.some((instanceId) => isLeaving(model, book, instanceId))
      );
    }
    case 'accept-trade':
      return stands && inTime && !trade.returned.some((instanceId) => isLeaving(model, book, instanceId));
    case 'settle-trade':
    case 'release-trade':
      return trade.reservation === 'reserved';
    case 'expire-trade':
      return stands && !inTime;
    case 'decline-trade':
    case 'cancel-trade':
      return stands;
  }
};

const canPart = (model: Model, book: number, instanceIds: readonly InstanceId[]): boolean =>
  new Set(instanceIds).size === instanceIds.length &&
  instanceIds.every((instanceId) => {
    const copy = model.copies.get(instanceId);
    return copy?.owner === book && copy.bound === null;
  });

/** Whether the book has returned a copy for a trade that it has not settled yet: until then its own stream cannot take the copy again. */
const isLeaving = (model: Model, book: number, instanceId: InstanceId): boolean =>
  [...model.trades.values()].some(
    ({ accepter, offer, reservation, returned }) =>
      accepter === book && offer === 'accepted' && reservation === 'reserved' && returned.includes(instanceId),
  );

/** Takes in what happened. */
export const learn = (model: Model, world: World, { book, here }: Step, event: PixbookEvent): void => {
  model.heads.set(book, here.eventId);
  const bind = (instanceIds: readonly InstanceId[], change: Partial<Ownership>): void => {
    for (const instanceId of instanceIds) {
      const copy = model.copies.get(instanceId);
      if (copy === undefined) throw new Error('a trade of a copy that nobody owns');
      model.copies.set(instanceId, { ...copy, ...change });
    }
  };
  switch (event.type) {
    case 'PIXBOOK_CLOSED':
      model.closed.add(book);
      return;
    case 'PACK_OPENED':
      model.packs.set(`${book} ${event.payload.packId}`, 'opened');
      return;
    case 'PACK_ISSUED':
      model.packs.set(`${book} ${event.payload.packId}`, 'issued');
      mint(model, book, event.payload.cards);
      return;
    case 'CARD_ADDED':
      mint(model, book, event.payload.cards);
      return;
    case 'CARD_REMOVED':
      for (const instanceId of event.payload.instanceIds) model.copies.delete(instanceId);
      return;
    case 'CARD_TRADE_OFFERED': {
      const { to, give, want, expiresAt } = event.payload;
      const tradeId = tradeIdOf(here.eventId);
      const ids = give.map(({ instanceId }) => instanceId);
      const accepter = numberOf(world, to.bookId);
      model.trades.set(tradeId, {
        offerer: book,
        accepter,
        give: ids,
        want,
        expiresAt,
        returned: [],
        offer: 'offered',
        reservation: 'none',
      });
      bind(ids, { bound: tradeId });
      return;
    }
    case 'PIXBOOK_CREATED':
    case 'PIXBOOK_SAVE':
      return;
    default: {
      const { tradeId } = event.payload;
      const trade = model.trades.get(tradeId);
      if (trade === undefined) throw new Error('a trade that was never offered');
      if (event.type === 'CARD_TRADE_RESERVED') {
        trade.reservation = 'reserved';
        trade.returned = event.payload.give.map(({ instanceId }) => instanceId);
        bind(trade.returned, { bound: tradeId });
        return;
      }
      if (event.type === 'CARD_TRADE_ACCEPTED') {
        trade.offer = 'accepted';
        bind(trade.returned, { owner: trade.offerer, bound: null });
        bind(trade.give, { owner: trade.accepter, bound: tradeId });
        return;
      }
      if (event.type === 'CARD_TRADE_SETTLED' || event.type === 'CARD_TRADE_RELEASED') {
        trade.reservation = 'done';
        bind(event.type === 'CARD_TRADE_SETTLED' ? trade.give : trade.returned, { bound: null });
        return;
      }
      trade.offer = 'ended';
      bind(trade.give, { bound: null });
      return;
    }
  }
};

const mint = (model: Model, owner: number, cards: readonly { instanceId: InstanceId; cardId: CardId }[]): void => {
  for (const { instanceId, cardId } of cards) {
    if (model.copies.has(instanceId)) throw new Error('a copy was minted twice');
    model.copies.set(instanceId, { cardId, owner, bound: null });
  }
};

const numberOf = (world: World, bookId: BookId): number => world.books.findIndex(({ owner }) => owner.bookId === bookId);

/**
 * Who owns what, read from the books alone: a copy is the book's that holds it, unless the book returned it for a trade that is accepted and
 * not settled yet; and what such a trade gives is the accepter's, on its way. Throws when a copy is there twice.
 */
export const ownershipIn = (world: World): ReadonlyMap<InstanceId, Ownership> => {
  const seen = new Map<InstanceId, Ownership>();
  const see = (instanceId: InstanceId, ownership: Ownership): void => {
    if (seen.has(instanceId)) throw new Error(`${instanceId} is there twice`);
    seen.set(instanceId, ownership);
  };
  const awaited = world.trades.flatMap(({ tradeId, offerer }) => {
    const accepted = offerIn(live(bookIn(world, offerer)), tradeId)?.status === 'accepted';
    return world.books.flatMap((book, owner) => {
      const reservation = reservationIn(live(book), tradeId);
      return accepted && reservation?.status === 'reserved' ? [{ tradeId, owner, take: reservation.take }] : [];
    });
  });
  world.books.forEach((book, owner) => {
    for (const [instanceId, { cardId, escrow }] of live(book).cards)
      if (!awaited.some((trade) => trade.tradeId === escrow && trade.owner === owner))
        see(instanceId, { cardId, owner, bound: escrow });
  });
  for (const { tradeId, owner, take } of awaited)
    for (const { instanceId, cardId } of take) see(instanceId, { cardId, owner, bound: tradeId });
  return seen;
};
