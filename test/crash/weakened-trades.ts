import { append } from '../../src/command/append.ts';
import { derivedKey } from '../../src/command/derived-key.ts';
import { openLedger } from '../../src/command/ledger.ts';
import type { Book, CommandOutcome } from '../../src/command/ledger-commands.ts';
import { type PixbookRequest, pixbookIntent, serviceWord } from '../../src/command/pixbook-intent.ts';
import type { CommandPorts } from '../../src/command/ports.ts';
import { streamMemory } from '../../src/command/stream-memory.ts';
import { streamQueue } from '../../src/command/stream-queue.ts';
import { OPERATOR_ACCOUNT_ID, OPERATOR_IDENTITY_ID, offerEventIdOf, parseReceiptHash } from '../../src/receipt/ids.ts';
import { keyAt, prefixOf } from '../../src/receipt/key-path.ts';
import type { Receipt } from '../../src/receipt/receipt.ts';
import { pixbookStream } from '../../src/receipt/stream.ts';
import { ok } from '../../src/result.ts';
import { noConcerns } from '../../src/stream/pixbook/concerns.ts';
import { granted } from '../ledger-fixture.ts';

/** Ledgers that leave out a step of a trade. */

type Opener = typeof openLedger;

/** One receipt in a book, written on the service's word alone. */
const write = (
  ports: CommandPorts,
  { accountId, bookId }: Book,
  request: Omit<PixbookRequest, 'book'>,
): Promise<CommandOutcome> => {
  const parts = { ...ports, queue: streamQueue(), memory: streamMemory(ports.clock, 100) };
  const idempotencyKey = derivedKey(JSON.stringify(request.asked), prefixOf(pixbookStream(accountId, bookId)));
  const context = { userId: null, idempotencyKey, ifMatch: null };
  return append(parts, pixbookIntent(context, { book: { accountId, bookId }, authorise: serviceWord, ...request }));
};

/** The acceptance of a gift is written into the offerer's book, and nothing into the accepter's before it. */
export const reservesNothing: Opener = (ports, options) => {
  const ledger = openLedger(ports, options);
  const acceptTrade: typeof ledger.commands.acceptTrade = async (_context, { tradeId, ...from }, { give: _give, ...book }) => {
    const ref = await ports.readModel.book(book.bookId);
    const offer = await ports.store.read(keyAt(pixbookStream(from.accountId, from.bookId), 2));
    if (ref === null || offer === null) throw new Error('the scene is another');
    const hash = granted(parseReceiptHash((JSON.parse(Buffer.from(offer).toString()) as Receipt).hash));
    const reservation = { eventId: offerEventIdOf(tradeId), hash };
    return write(ports, from, {
      actor: { accountId: book.accountId, identityId: ref.identityId },
      asked: { type: 'CARD_TRADE_ACCEPTED', payload: { tradeId, reservation } },
      concerns: { ...noConcerns, tradeIds: [tradeId] },
      command: { type: 'accept-trade', tradeId, reservation, give: [] },
    });
  };
  return { ...ledger, commands: { ...ledger.commands, acceptTrade } };
};

/** The worker takes every reservation for one that came to nothing, and does not ask what became of the offer. */
export const releasesUnasked: Opener = (ports, options) => {
  const ledger = openLedger(ports, options);
  const upkeep: typeof ledger.upkeep = (places) => ({
    ...ledger.upkeep(places),
    redo: async (item) => {
      const place = await places.receipt(item.eventId);
      const bytes = place && (await ports.store.read(keyAt(place.stream, place.position)));
      if (place?.stream.type !== 'pixbook' || bytes === null) return ledger.upkeep(places).redo(item);
      const { tradeId } = (
        JSON.parse(Buffer.from(bytes).toString()) as { payload: { tradeId: Parameters<typeof offerEventIdOf>[0] } }
      ).payload;
      const outcome = { eventId: item.eventId, hash: place.hash };
      const released = await write(ports, place.stream, {
        actor: { accountId: OPERATOR_ACCOUNT_ID, identityId: OPERATOR_IDENTITY_ID },
        asked: { type: 'CARD_TRADE_RELEASED', payload: { tradeId, outcome } },
        concerns: { ...noConcerns, tradeIds: [tradeId] },
        command: { type: 'release-trade', tradeId, outcome },
      });
      return released.ok ? ok('done') : released;
    },
  });
  return { ...ledger, upkeep };
};
