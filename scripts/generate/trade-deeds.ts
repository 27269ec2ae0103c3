import type { Offer } from '../../src/command/ledger-commands.ts';
import { type Instant, epochMsOf, instantOf, tradeIdOf } from '../../src/receipt/ids.ts';
import type { Want } from '../../src/stream/pixbook/event.ts';
import { Refused } from './asking.ts';
import { type Copy, freeCopies } from './copy.ts';
import type { Deed, Until } from './deed.ts';
import { type Neighbourhood, type OpenBook, does } from './neighbourhood.ts';

/** What two books do together, of one family or of two. */

const DAY_MS = 24 * 3_600_000;
const STANDS_DAYS = { least: 1, most: 6 };

type Side = { readonly book: OpenBook; readonly copy: Copy };
type Open = { readonly from: Side; readonly to: Side; readonly offer: Offer; readonly expiresAt: Instant };

/** Two books of one collection with a copy each to give; null where there are none. */
const pair = (here: Neighbourhood): { readonly from: Side; readonly to: Side } | null => {
  const sides = here.books.flatMap((book) => {
    const copies = freeCopies(here, book);
    return copies.length === 0 ? [] : [{ book, copies }];
  });
  if (sides.length === 0) return null;
  const from = here.chance.oneOf(sides);
  const others = sides.filter(
    ({ book }) => book !== from.book && book.collection.collectionId === from.book.collection.collectionId,
  );
  if (others.length === 0) return null;
  const to = here.chance.oneOf(others);
  const side = ({ book, copies }: (typeof sides)[number]): Side => ({ book, copy: here.chance.oneOf(copies) });
  return { from: side(from), to: side(to) };
};

type Wanted = (copy: Copy) => Want;
const thatCopy: Wanted = ({ instanceId }) => ({ instanceIds: [instanceId], cardIds: [] });
const thatCard: Wanted = ({ cardId }) => ({ instanceIds: [], cardIds: [cardId] });
const nothing: Wanted = () => ({ instanceIds: [], cardIds: [] });

const offered = async (here: Neighbourhood, wanted: Wanted): Promise<Open | null> => {
  const two = pair(here);
  if (two === null) return null;
  const { from, to } = two;
  const expiresAt = instantOf(here.clock.now() + here.chance.between(STANDS_DAYS.least, STANDS_DAYS.most) * DAY_MS);
  const { bookId, accountId } = to.book;
  const terms = { to: { bookId, accountId }, give: [from.copy.instanceId], want: wanted(to.copy), expiresAt };
  const { eventId } = await does(here, from.book.signer, (context) => here.commands.offerTrade(context, from.book, terms));
  const offer = { accountId: from.book.accountId, bookId: from.book.bookId, tradeId: tradeIdOf(eventId) };
  return { from, to, offer, expiresAt };
};

const accepts = (here: Neighbourhood, { to, offer }: Open, give: readonly Copy[] = []) => {
  const acceptance = {
    ...{ accountId: to.book.accountId, bookId: to.book.bookId },
    give: give.map(({ instanceId }) => instanceId),
  };
  return does(here, to.book.signer, (context) => here.commands.acceptTrade(context, offer, acceptance));
};

const cancels = (here: Neighbourhood, { from, offer }: Open) =>
  does(here, from.book.signer, (context) => here.commands.cancelTrade(context, offer));

/** Whether an offer of now may be waited for. */
const isTime = (here: Neighbourhood, { ms }: Until): boolean => here.clock.now() + STANDS_DAYS.most * DAY_MS < ms;

/** An offer, and what becomes of it. */
const trade = (
  { name, weight, atMost, wanted = thatCopy }: Pick<Deed, 'name' | 'weight' | 'atMost'> & { readonly wanted?: Wanted },
  goesOn: (here: Neighbourhood, open: Open, until: Until) => Promise<unknown>,
): Deed => ({
  name,
  weight,
  atMost,
  play: async (here, until) => {
    const open = await offered(here, wanted);
    if (open !== null) await goesOn(here, open, until);
    return open !== null;
  },
});

export const tradeDeeds: readonly Deed[] = [
  trade({ name: 'a swap', weight: 8, atMost: 4 }, (here, open) => accepts(here, open)),
  trade({ name: 'a swap for any copy of a card', weight: 3, atMost: 4, wanted: thatCard }, (here, open) =>
    accepts(here, open, [open.to.copy]),
  ),
  trade({ name: 'a present', weight: 2, atMost: 4, wanted: nothing }, (here, open) => accepts(here, open)),
  trade({ name: 'an offer that is declined', weight: 2, atMost: 2 }, (here, { to, offer }) =>
    does(here, to.book.signer, (context) => here.commands.declineTrade(context, offer, to.book)),
  ),
  trade({ name: 'an offer that is cancelled', weight: 2, atMost: 2 }, cancels),
  trade({ name: 'an offer that nobody answers', weight: 1, atMost: 2 }, async (here, open, until) => {
    if (!isTime(here, until)) return cancels(here, open);
    here.clock.turn(epochMsOf(open.expiresAt) - here.clock.now());
    return here.upkeep.expireTrade(open.offer);
  }),
  trade({ name: 'an offer that is accepted too late', weight: 1, atMost: 4 }, async (here, open, until) => {
    if (!isTime(here, until)) return cancels(here, open);
    // What the partner reserved is released: its reservation was in time, its acceptance no more.
    here.store.afterNextReceipt(() => here.clock.turn(epochMsOf(open.expiresAt) - here.clock.now()));
    return accepts(here, open).catch((error: unknown) => {
      if (!(error instanceof Refused) || error.code !== 'trade-expired') throw error;
    });
  }),
  trade({ name: 'an offer that stands at the end of the year', weight: 0.2, atMost: 1 }, async (_here, { from, to }) => {
    from.book.standing = true;
    to.book.standing = true;
  }),
];
