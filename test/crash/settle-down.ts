import { catchUp } from '../../src/command/catch-up.ts';
import { parseAccountId, parseBookId, parseTradeId } from '../../src/receipt/ids.ts';
import { parsePrefix } from '../../src/receipt/key-path.ts';
import { granted } from '../ledger-fixture.ts';
import { answered } from './answer.ts';
import { closeItem, openItems } from './places.ts';
import type { Process, World } from './world.ts';

/** A service that starts, repairs its projection and works its redo outbox until there is nothing it can do. */
export const settleDown = async (world: World, process: Process = world.start()): Promise<void> => {
  await repair(world, process);
  const tables = world.tablesOf(world.primary);
  for (let round = 0; round < 5; round++)
    for (const item of openItems(tables)) {
      const { code } = await answered(process.upkeep.redo(item));
      if (code !== 'later' && code !== 'outage') closeItem(tables, item);
    }
};

/** Applies what the bucket has and the projection lacks. */
export const repair = async ({ objects }: World, { ports }: Process): Promise<void> => {
  const prefixes = new Set([...objects.keys()].map((key) => key.replace(/\/events\/.*/, '')));
  const streams = [...prefixes].map(parsePrefix).flatMap((stream) => (stream.ok ? [stream.value] : []));
  // The operator's account and the others first: what follows is verified with their keys.
  for (const stream of streams.sort((a, b) => Number(b.type === 'account') - Number(a.type === 'account')))
    await catchUp(ports, stream);
};

/** Time passes, and the service ends the offers that stand. */
export const endOffers = async (world: World, expiresMs: number): Promise<void> => {
  const process = world.start();
  process.clock.advance(Math.max(0, expiresMs - process.clock.now()));
  for (const { status, account_id, book_id, trade_id } of world.tablesOf(world.primary).rows.trades.values()) {
    if (status !== 'offered') continue;
    const book = { accountId: granted(parseAccountId(account_id)), bookId: granted(parseBookId(book_id)) };
    await answered(process.upkeep.expireTrade({ ...book, tradeId: granted(parseTradeId(trade_id)) }));
  }
  await settleDown(world, process);
};
