import type { CommandRefusal } from './ledger-commands.ts';

/** Refusals that pass: somebody else is at it, the outcome is not known yet, or an operator must look. The work is tried again. */
export const passingRefusals: ReadonlySet<CommandRefusal['code']> = new Set([
  ...(['queue-full', 'contended', 'outcome-unknown', 'stream-stopped'] as const),
]);
