import { accountCommands } from './account-commands.ts';
import type { LedgerCommands } from './ledger-commands.ts';
import { pixbookCommands } from './pixbook-commands.ts';
import type { CommandPorts } from './ports.ts';
import { streamMemory } from './stream-memory.ts';
import { streamQueue } from './stream-queue.ts';

/** The ledger's commands over these ports, with the queues and the memory of one process. */
export const openLedger = (ports: CommandPorts, options: { rememberedStreams?: number } = {}): LedgerCommands => {
  const memory = streamMemory(ports.clock, options.rememberedStreams);
  const parts = { ...ports, queue: streamQueue(), memory };
  return { ...accountCommands(parts), ...pixbookCommands(parts) };
};
