import type { Logger } from 'pino';
import type { Registry } from 'prom-client';
import { openAuditTrail } from '../adapter/postgres/audit-trail.ts';
import { openBatches } from '../adapter/postgres/batches.ts';
import { openMeter } from '../adapter/postgres/meter.ts';
import type { openPool } from '../adapter/postgres/pool.ts';
import { openRedoOutbox } from '../adapter/postgres/redo-outbox.ts';
import { openRuns } from '../adapter/postgres/runs.ts';
import { packCertificate, tradeCertificate } from '../certificate/make.ts';
import { batchCommands } from '../command/batches.ts';
import { openLedger } from '../command/ledger.ts';
import { meteredCommands } from '../command/metered-commands.ts';
import type { CommandPorts } from '../command/ports.ts';
import { batchRunner } from '../command/run-batch.ts';
import { runCommands, runDoer } from '../command/runs.ts';
import type { Config } from '../config.ts';
import type { HttpParts } from '../http/parts.ts';
import type { LedgerQueries } from '../port/ledger-queries.ts';
import type { RedoItem } from '../port/redo-outbox.ts';
import type { Projector } from '../port/runs.ts';
import { coldReads } from '../snapshot/cold-reads.ts';
import { invitationKeyOf, invitationSecrets } from '../stream/account/invitation-secret.ts';
import { codeIdOf, codeKeyOf } from '../stream/code/secret.ts';
import { type Background, startBackground } from './background.ts';
import { coldMetrics } from './cold-metrics.ts';
import { jobMetrics } from './job-metrics.ts';

export type DomainInput = {
  readonly ports: CommandPorts;
  readonly queries: LedgerQueries;
  readonly pool: ReturnType<typeof openPool>;
  readonly databaseUrl: string;
  readonly codeSecret: string;
  readonly projector: Projector;
  readonly config: Pick<Config, 'driftEveryHours'>;
  readonly log: Logger;
  readonly metrics: Registry;
};

/** The ledger as HTTP sees it, and the work that goes on beside it. */
export type Domain = Pick<
  HttpParts,
  'commands' | 'batches' | 'codeNames' | 'invitations' | 'certificates' | 'cold' | 'runs' | 'auditTrail' | 'meter'
> & {
  /** Begins the background work. Throws `Outage`. */
  readonly start: () => Promise<Background>;
};

/** Commands, batches, certificates and background work over the same ports. */
export const openDomain = (input: DomainInput): Domain => {
  const { ports, queries, pool, databaseUrl, codeSecret, projector, config, log, metrics } = input;
  const { store, clock, notify, trust } = ports;
  const codeKey = codeKeyOf(Buffer.from(codeSecret));
  const batches = openBatches(pool);
  const outbox = openRedoOutbox(pool);
  const [runs, meter] = [openRuns(pool), openMeter(pool, clock)];
  // A row that stays open is done once more by the worker, and harms nobody.
  const followed = (item: RedoItem): void => void outbox.close(item, 'done').catch(() => undefined);
  const { commands, upkeep } = openLedger(ports, { followed });
  const runBatch = batchRunner({ commands, queries, codeKey, batches, clock });
  const doRun = runDoer({ runs, projector, clock, notify });
  const work = { runBatch, doRun, runs, meter, upkeep: upkeep(queries), outbox, metrics: jobMetrics(metrics, log) };
  return {
    // A batch uses the commands below these: it is one command.
    commands: meteredCommands(commands, meter),
    meter,
    runs: runCommands({ runs, clock }),
    auditTrail: openAuditTrail(pool),
    batches: batchCommands({ batches, queries, codeKey, clock }),
    codeNames: { codeIdOf: (code) => codeIdOf(codeKey, code) },
    invitations: invitationSecrets(invitationKeyOf(Buffer.from(codeSecret))),
    cold: coldReads({ store, clock, trust, noted: coldMetrics(metrics, log) }),
    certificates: {
      tradeCertificate: (offer) => tradeCertificate(store, offer),
      packCertificate: async (book, packId) => {
        const pack = await queries.pack(book, packId);
        return pack === null ? null : packCertificate(store, { ...book, eventId: pack.eventId });
      },
    },
    start: () => startBackground({ ...work, databaseUrl, pool, queries, clock, log, driftEveryHours: config.driftEveryHours }),
  };
};
