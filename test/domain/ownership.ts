import type { MemoryObjects } from '../../src/adapter/memory/receipt-store.ts';
import { tradeIdOf } from '../../src/receipt/ids.ts';
import type { Receipt } from '../../src/receipt/receipt.ts';
import type { CodeEvent } from '../../src/stream/code/event.ts';
import { eventOf } from '../../src/stream/event.ts';
import type { PixbookEvent, PixbookEventOf } from '../../src/stream/pixbook/event.ts';

/**
 * What the receipts in a bucket say of who owns what, added up in the plainest way and without the rules of the streams: the second opinion on
 * conservation. `faults` may never be; `unfinished` may only be while a process is at work or the redo outbox is not empty.
 */
export type Ownership = {
  /** Book id by copy: whose it is, in escrow or not, on its way or not. */
  readonly owners: ReadonlyMap<string, string>;
  readonly faults: readonly string[];
  readonly unfinished: readonly string[];
};

type Trade = {
  give: string[];
  to: string;
  ends: string[];
  reservedIn: string[];
  receive: string[];
  settled: number;
  released: number;
};
type Tally = {
  readonly minted: Map<string, string>;
  readonly removed: Set<string>;
  /** Card by copy, by book. */
  readonly held: Map<string, Map<string, string>>;
  readonly trades: Map<string, Trade>;
  /** Claiming book by code, and the packs issued for it by book. */
  readonly claims: Map<string, string[]>;
  readonly codePacks: Map<string, string[]>;
  readonly dropPacks: Map<string, number>;
  readonly faults: string[];
};

/** Reads every receipt of a bucket. */
export const ownershipIn = (objects: MemoryObjects): Ownership => {
  const tally: Tally = {
    ...{ minted: new Map(), removed: new Set(), held: new Map(), trades: new Map(), claims: new Map(), codePacks: new Map() },
    ...{ dropPacks: new Map(), faults: [] },
  };
  const keys = [...objects.keys()].filter((key) => key.startsWith('pixpax/pixbooks/') || key.startsWith('pixpax/codes/'));
  for (const key of keys.sort()) count(tally, JSON.parse(Buffer.from(objects.get(key) ?? []).toString()) as Receipt);
  const unfinished = [...unfinishedTrades(tally), ...unfinishedClaims(tally)];
  return { owners: ownersOf(tally), faults: tally.faults, unfinished };
};

const count = (tally: Tally, receipt: Receipt): void => {
  const event = eventOf(receipt);
  if (!event.ok) return void tally.faults.push(event.error.detail);
  const { stream } = receipt;
  if (stream.type === 'code') countCode(tally, stream.codeId, event.value as CodeEvent);
  if (stream.type === 'pixbook') {
    countCards(tally, stream.bookId, event.value as PixbookEvent);
    countTrade(tally, stream.bookId, event.value as PixbookEvent, receipt);
  }
};

const countCode = ({ claims, faults }: Tally, codeId: string, event: CodeEvent): void => {
  if (event.type !== 'CODE_CLAIMED') return;
  const claimants = pushed(claims, codeId, event.payload.bookId);
  if (claimants.length > 1) faults.push(`${codeId} is claimed ${claimants.length} times`);
};

const countCards = (tally: Tally, bookId: string, event: PixbookEvent): void => {
  const held = tally.held.get(bookId) ?? new Map<string, string>();
  tally.held.set(bookId, held);
  const comes = (copies: readonly { instanceId: string; cardId: string }[], isNew: boolean): void => {
    for (const { instanceId, cardId } of copies) {
      if (held.has(instanceId)) tally.faults.push(`${event.type} brings ${instanceId} to ${bookId}, which has it`);
      if (isNew && tally.minted.has(instanceId)) tally.faults.push(`${instanceId} is made twice`);
      if (isNew) tally.minted.set(instanceId, cardId);
      held.set(instanceId, cardId);
    }
  };
  const goes = (instanceIds: readonly string[]): void => {
    for (const instanceId of instanceIds)
      if (!held.delete(instanceId)) tally.faults.push(`${event.type} takes ${instanceId} from ${bookId}, which has it not`);
  };
  switch (event.type) {
    case 'PACK_ISSUED':
      comes(event.payload.cards, true);
      countPack(tally, bookId, event.payload);
      break;
    case 'CARD_ADDED':
      comes(event.payload.cards, true);
      break;
    case 'CARD_REMOVED':
      for (const instanceId of event.payload.instanceIds) tally.removed.add(instanceId);
      goes(event.payload.instanceIds);
      break;
    case 'CARD_TRADE_ACCEPTED':
      goes(event.payload.give);
      comes(event.payload.receive, false);
      break;
    case 'CARD_TRADE_SETTLED':
      goes(event.payload.give);
      comes(event.payload.take, false);
      break;
    default: // moves no copy
  }
};

const countPack = (tally: Tally, bookId: string, { claim, dropId }: PixbookEventOf<'PACK_ISSUED'>['payload']): void => {
  if (claim !== null) pushed(tally.codePacks, claim.codeId, bookId);
  else if (added(tally.dropPacks, `${dropId} ${bookId}`) > 1) tally.faults.push(`${bookId} has two packs of ${dropId}`);
};

const countTrade = ({ trades, faults }: Tally, bookId: string, event: PixbookEvent, { eventId }: Receipt): void => {
  const tradeId =
    event.type === 'CARD_TRADE_OFFERED' ? tradeIdOf(eventId) : 'tradeId' in event.payload ? event.payload.tradeId : '';
  if (tradeId === '') return;
  const trade = trades.get(tradeId) ?? { give: [], to: '', ends: [], reservedIn: [], receive: [], settled: 0, released: 0 };
  trades.set(tradeId, trade);
  switch (event.type) {
    case 'CARD_TRADE_OFFERED':
      trade.give.push(...event.payload.give.map(({ instanceId }) => instanceId));
      trade.to = event.payload.to.bookId;
      return;
    case 'CARD_TRADE_RESERVED':
      return void trade.reservedIn.push(bookId);
    case 'CARD_TRADE_SETTLED':
      return void trade.settled++;
    case 'CARD_TRADE_RELEASED':
      return void trade.released++;
    case 'CARD_TRADE_ACCEPTED':
      trade.receive.push(...event.payload.receive.map(({ instanceId }) => instanceId));
      return void trade.ends.push(event.type);
    case 'CARD_TRADE_DECLINED':
    case 'CARD_TRADE_CANCELLED':
    case 'CARD_TRADE_EXPIRED':
      return void trade.ends.push(event.type);
    default:
      faults.push(`${event.type} is no step of a trade`);
  }
};

/** Trades that are not whole; what can never become whole is a fault. */
function* unfinishedTrades({ trades, faults }: Tally): Generator<string> {
  for (const [tradeId, { to, ends, reservedIn, settled, released }] of trades) {
    const accepted = ends.includes('CARD_TRADE_ACCEPTED');
    if (ends.length > 1) faults.push(`${tradeId} ended as ${ends.join(' and ')}`);
    if (reservedIn.length > 1 || (reservedIn.length === 1 && reservedIn[0] !== to)) faults.push(`${tradeId}: odd reservations`);
    if (accepted && reservedIn.length === 0) faults.push(`${tradeId} was accepted and nothing reserved for it`);
    if (settled + released > reservedIn.length) faults.push(`${tradeId}: more was settled or released than reserved`);
    if (settled > 0 && !accepted) faults.push(`${tradeId} was settled and not accepted`);
    if (released > 0 && (accepted || ends.length === 0)) faults.push(`${tradeId} was released while it stood or was accepted`);
    if (settled + released < reservedIn.length) yield `${tradeId} is reserved${ends.length > 0 ? ' and has ended' : ''}`;
  }
}

function* unfinishedClaims({ claims, codePacks, faults }: Tally): Generator<string> {
  for (const [codeId, [claimant]] of claims) {
    const books = codePacks.get(codeId) ?? [];
    if (books.length > 1 || (books.length === 1 && books[0] !== claimant))
      faults.push(`${codeId} brought packs to ${books.join()}`);
    if (books.length === 0) yield `${codeId} is claimed and its pack not issued`;
  }
  for (const codeId of codePacks.keys()) if (!claims.has(codeId)) faults.push(`${codeId} brought a pack and is not claimed`);
}

/** Each copy's one owner. Between acceptance and settlement what was given is the accepter's, and what it gave is not. */
const ownersOf = ({ minted, removed, held, trades, faults }: Tally): ReadonlyMap<string, string> => {
  for (const { ends, settled, to, give, receive } of trades.values()) {
    if (!ends.includes('CARD_TRADE_ACCEPTED') || settled > 0) continue;
    const books = held.get(to);
    for (const instanceId of receive) books?.delete(instanceId);
    for (const instanceId of give) books?.set(instanceId, minted.get(instanceId) ?? '');
  }
  const owners = new Map<string, string>();
  for (const [bookId, copies] of held)
    for (const [instanceId, cardId] of copies) {
      const other = owners.get(instanceId);
      if (other !== undefined) faults.push(`${instanceId} is owned by ${other} and by ${bookId}`);
      if (minted.get(instanceId) !== cardId) faults.push(`${instanceId} has no origin, or is another card`);
      if (removed.has(instanceId)) faults.push(`${instanceId} was removed and is owned by ${bookId}`);
      owners.set(instanceId, bookId);
    }
  for (const instanceId of minted.keys())
    if (!owners.has(instanceId) && !removed.has(instanceId)) faults.push(`${instanceId} has vanished`);
  return owners;
};

const pushed = (map: Map<string, string[]>, key: string, value: string): string[] => {
  const values = [...(map.get(key) ?? []), value];
  map.set(key, values);
  return values;
};

const added = (map: Map<string, number>, key: string): number => {
  const sum = (map.get(key) ?? 0) + 1;
  map.set(key, sum);
  return sum;
};
