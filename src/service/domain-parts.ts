import type { Logger } from 'pino';
import type { Registry } from 'prom-client';
import { openBatches } from '../adapter/postgres/batches.ts';
import type { openPool } from '../adapter/postgres/pool.ts';
import { openRedoOutbox } from '../adapter/postgres/redo-outbox.ts';
import { packCertificate, tradeCertificate } from '../certificate/make.ts';
import { batchCommands } from '../command/batches.ts';
import { openLedger } from '../command/ledger.ts';
import type { CommandPorts } from '../command/ports.ts';
import { batchRunner } from '../command/run-batch.ts';
import type { HttpParts } from '../http/parts.ts';
import type { LedgerQueries } from '../port/ledger-queries.ts';
import type { RedoItem } from '../port/redo-outbox.ts';
import { codeIdOf, codeKeyOf } from '../stream/code/secret.ts';
import { type Background, startBackground } from './background.ts';
import { jobMetrics } from './job-metrics.ts';

export type DomainInput = {
  readonly ports: CommandPorts;
  readonly queries: LedgerQueries;
  readonly pool: ReturnType<typeof openPool>;
  readonly databaseUrl: string;
  readonly codeSecret: string;
  readonly log: Logger;
  readonly metrics: Registry;
};

/** The ledger as HTTP sees it, and the work that goes on beside it. */
export type Domain = Pick<HttpParts, 'commands' | 'batches' | 'codeNames' | 'certificates'> & {
  /** Begins the background work. Throws `Outage`. */
  readonly start: () => Promise<Background>;
};

/** Commands, batches, certificates and background work over the same ports. */
export const openDomain = ({ ports, queries, pool, databaseUrl, codeSecret, log, metrics }: DomainInput): Domain => {
  const { store, clock } = ports;
  const codeKey = codeKeyOf(Buffer.from(codeSecret));
  const batches = openBatches(pool);
  const outbox = openRedoOutbox(pool);
  // A row that stays open is done once more by the worker, and harms nobody.
  const followed = (item: RedoItem): void => void outbox.close(item, 'done').catch(() => undefined);
  const { commands, upkeep } = openLedger(ports, { followed });
  const runBatch = batchRunner({ commands, queries, codeKey, batches, clock });
  const work = { runBatch, upkeep: upkeep(queries), outbox, metrics: jobMetrics(metrics, log) };
  return {
    commands,
    batches: batchCommands({ batches, queries, codeKey, clock }),
    codeNames: { codeIdOf: (code) => codeIdOf(codeKey, code) },
    certificates: {
      tradeCertificate: (offer) => tradeCertificate(store, offer),
      packCertificate: async (book, packId) => {
        const pack = await queries.pack(book.bookId, packId);
        return pack === null ? null : packCertificate(store, { ...book, eventId: pack.eventId });
      },
    },
    start: () => startBackground({ ...work, databaseUrl, pool, queries, clock, log }),
  };
};
