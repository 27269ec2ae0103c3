import type { Logger } from 'pino';
import { Counter, type Registry } from 'prom-client';
import { prefixOf } from '../receipt/key-path.ts';
import { type ColdParts, isOrdinary } from '../snapshot/cold-reads.ts';

/** Looks at snapshots by what came of them: `pixpax_snapshot_reads_total{outcome}` in `registry`, and whatever is not ordinary in the log. */
export const coldMetrics = (registry: Registry, log: Logger): ColdParts['noted'] => {
  const counter = new Counter({
    name: 'pixpax_snapshot_reads_total',
    help: 'Looks at snapshots of pixbooks: used, absent, or why not (src/snapshot)',
    labelNames: ['outcome'],
    registers: [registry],
  });
  return (outcome, stream) => {
    counter.inc({ outcome });
    if (!isOrdinary(outcome)) log.warn({ outcome, stream: prefixOf(stream) }, 'a snapshot was passed over');
  };
};
