import { accountCommands } from './account-commands.ts';
import type { AppendParts } from './append.ts';
import { cardCommands } from './card-commands.ts';
import { codeCommands } from './code-commands.ts';
import { collectionCommands } from './collection-commands.ts';
import { openCollections } from './collections.ts';
import type { LedgerCommands, LedgerUpkeep, Offer } from './ledger-commands.ts';
import { packCommands } from './pack-commands.ts';
import { pixbookCommands } from './pixbook-commands.ts';
import type { CommandPorts } from './ports.ts';
import { streamMemory } from './stream-memory.ts';
import { streamQueue } from './stream-queue.ts';
import { tradeCommands } from './trade-commands.ts';
import { tradeCompletion } from './trade-completion.ts';
import { type ReceiptPlaces, redoOf } from './upkeep.ts';

/** The commands of one process, and what it does by itself. */
export type Ledger = {
  readonly commands: LedgerCommands;
  /** `places` finds the receipts that the redo outbox names. */
  readonly upkeep: (places: ReceiptPlaces) => LedgerUpkeep;
};

export type LedgerOptions = { readonly rememberedStreams?: number; readonly followed?: NonNullable<AppendParts['followed']> };

/** The ledger over these ports, with the queues and the memory of one process. */
export const openLedger = (ports: CommandPorts, { rememberedStreams, followed }: LedgerOptions = {}): Ledger => {
  const memory = streamMemory(ports.clock, rememberedStreams);
  const parts: AppendParts = { ...ports, queue: streamQueue(), memory, ...(followed === undefined ? {} : { followed }) };
  const collections = openCollections(parts);
  const { issueCodePack, ...packs } = packCommands(parts, collections);
  const completion = tradeCompletion(parts, (offer: Offer) => trades.expireTrade(offer));
  const trades = tradeCommands(parts, completion);
  const { expireTrade, ...tradesByUsers } = trades;
  return {
    commands: {
      ...accountCommands(parts),
      ...pixbookCommands(parts, collections),
      ...collectionCommands(parts, collections),
      ...codeCommands(parts, collections, issueCodePack),
      ...packs,
      ...cardCommands(parts, collections),
      ...tradesByUsers,
    },
    upkeep: (places) => ({ redo: redoOf(ports, places, { issueCodePack, completion }), expireTrade }),
  };
};
