import type { InstanceId, PackId, TradeId } from '../../receipt/ids.ts';
import type { PixbookCommand } from './command.ts';
import { idsOf } from './copies.ts';
import type { PixbookEvent } from './event.ts';

/** The part of a book that a command or an event touches: what must be looked up before it can be judged. */
export type Concerns = {
  readonly instanceIds: readonly InstanceId[];
  readonly packIds: readonly PackId[];
  readonly tradeIds: readonly TradeId[];
  /** Whether the number of open trades matters. */
  readonly openTrades: boolean;
};

export const noConcerns: Concerns = { instanceIds: [], packIds: [], tradeIds: [], openTrades: false };

/** Whether nothing but the book itself matters. */
export const concernsNothing = ({ instanceIds, packIds, tradeIds, openTrades }: Concerns): boolean =>
  instanceIds.length === 0 && packIds.length === 0 && tradeIds.length === 0 && !openTrades;

/** What an event touches. */
export const concernsOfEvent = (event: PixbookEvent): Concerns => {
  switch (event.type) {
    case 'PIXBOOK_CREATED':
    case 'PIXBOOK_SAVE':
      return noConcerns;
    case 'PIXBOOK_CLOSED':
      return { ...noConcerns, openTrades: true };
    case 'PACK_ISSUED':
      return { ...noConcerns, packIds: [event.payload.packId], instanceIds: idsOf(event.payload.cards) };
    case 'PACK_OPENED':
      return { ...noConcerns, packIds: [event.payload.packId] };
    case 'CARD_ADDED':
      return { ...noConcerns, instanceIds: idsOf(event.payload.cards) };
    case 'CARD_REMOVED':
      return { ...noConcerns, instanceIds: event.payload.instanceIds };
    case 'CARD_TRADE_OFFERED':
      return { ...noConcerns, instanceIds: idsOf(event.payload.give), openTrades: true };
    default:
      return concernsOfTrade(event);
  }
};

type TradeStep = Exclude<
  PixbookEvent,
  { type: `PIXBOOK_${string}` | `PACK_${string}` | 'CARD_ADDED' | 'CARD_REMOVED' | 'CARD_TRADE_OFFERED' }
>;

const concernsOfTrade = ({ type, payload }: TradeStep): Concerns => {
  const of = (instanceIds: readonly InstanceId[], openTrades = false): Concerns => ({
    ...noConcerns,
    tradeIds: [payload.tradeId],
    instanceIds,
    openTrades,
  });
  switch (type) {
    // A copy the book takes may be one it still shows, on its way out by an earlier trade; and so may one that an acceptance brings.
    case 'CARD_TRADE_RESERVED':
      return of([...idsOf(payload.give), ...idsOf(payload.take)], true);
    case 'CARD_TRADE_ACCEPTED':
      return of([...payload.give, ...idsOf(payload.receive)]);
    case 'CARD_TRADE_SETTLED':
      return of([...payload.give, ...idsOf(payload.take)]);
    default:
      return of(payload.instanceIds);
  }
};

/** What a command needs to see before it can be decided. */
export const concernsOfCommand = (command: PixbookCommand): Concerns => {
  switch (command.type) {
    case 'create-pixbook':
    case 'save':
    case 'add-cards':
      return noConcerns;
    case 'close':
      return { ...noConcerns, openTrades: true };
    case 'issue-pack':
    case 'open-pack':
      return { ...noConcerns, packIds: [command.packId] };
    case 'remove-cards':
      return { ...noConcerns, instanceIds: command.instanceIds };
    case 'offer-trade':
      return { ...noConcerns, instanceIds: command.give, openTrades: true };
    case 'reserve-trade':
      return {
        tradeIds: [command.tradeId],
        instanceIds: [...command.give, ...(command.offer?.want.instanceIds ?? []), ...idsOf(command.offer?.give ?? [])],
        packIds: [],
        openTrades: true,
      };
    case 'accept-trade':
      return { ...noConcerns, tradeIds: [command.tradeId], instanceIds: idsOf(command.give) };
    default:
      return { ...noConcerns, tradeIds: [command.tradeId] };
  }
};
