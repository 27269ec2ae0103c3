import type pg from 'pg';
import { connectTo } from '../../src/adapter/postgres/pool.ts';
import { orOutage } from '../../src/adapter/postgres/postgres-outage.ts';
import type { BatchReport, Unit } from '../lane.ts';
import { unexpectedObject } from '../ledger-fault.ts';
import type { LedgerSource, StreamListing } from '../source.ts';
import { fillingSchemaOf } from './filling.ts';
import { type FilledSoFar, type UnitTables, unitTables } from './unit-tables.ts';
import { type Phase, type Walked, type WalkedPhase, openUnitWalk, streamsOfUnit } from './unit-walk.ts';

/** A unit that this process has taken on, with the streams it is made of. */
export type TakenUnit = Unit & { readonly streams: readonly StreamListing[] };

/** Gives out the parts of a ledger: to the threads of this process, in agreement with other processes. */
export type UnitQueue = {
  /** The next unit of a phase: one whose process died, or else the next streams in the order of keys. Null when all are given out. Throws `Outage`. */
  readonly next: (phase: Phase) => Promise<TakenUnit | null>;
  /** Units of a phase that are given out and not done. Throws `Outage`. */
  readonly open: (phase: Phase) => Promise<number>;
  readonly soFar: () => Promise<FilledSoFar>;
  /** What was reported of the units of a phase, in the order of keys. Throws `Outage`. */
  readonly reports: (phase: Phase) => AsyncIterable<BatchReport>;
  readonly close: () => void;
};

/**
 * Takes part in the filling of `schema`. While this process lives, or rather its connection, its units are its own; afterwards others take
 * them over, and what it still sends of them is refused. Throws `Outage`.
 */
export const openUnitQueue = async (pool: pg.Pool, schema: string, source: LedgerSource, lanes: number): Promise<UnitQueue> => {
  const client = await connectTo(pool);
  const tables = await orOutage(() => unitTables(client, fillingSchemaOf(schema)));
  const walks = { accounts: openUnitWalk(source, 'accounts', lanes), others: openUnitWalk(source, 'others', lanes) };
  let turn: Promise<unknown> = Promise.resolve();

  /** One connection: each call waits for the one before. */
  const inTurn = <T>(work: () => Promise<T>): Promise<T> => {
    const mine = turn.then(work);
    turn = mine.catch(() => undefined);
    return orOutage(() => mine);
  };

  return {
    next: (phase) =>
      inTurn(async () => {
        const left = await tables.takeOver(phase);
        if (left !== null) return takenUnit(tables, left.unit, await streamsOfUnit(source, phase, left));
        return phase === 'operator' ? null : walkOn(tables, phase, walks[phase]);
      }),
    open: (phase) => inTurn(() => tables.open(phase)),
    soFar: () => inTurn(() => tables.soFar()),
    reports: async function* (phase) {
      for (let after = -1; ; ) {
        const from = after;
        const page = await inTurn(() => tables.reports(phase, from));
        for (const { report } of page) yield JSON.parse(report) as BatchReport;
        const last = page.at(-1);
        if (last === undefined) return;
        after = last.unit;
      }
    },
    close: () => client.release(true),
  };
};

/** Whoever gives out holds the turn, the listing of a page or two included; should we die, it goes with the connection. */
const walkOn = (tables: UnitTables, phase: WalkedPhase, walk: ReturnType<typeof openUnitWalk>): Promise<TakenUnit | null> =>
  tables.inTurn(async () => {
    const { after, walked, given } = await tables.place(phase);
    if (walked) return null;
    const found = await walk(after, given);
    const unit = await tables.give(phase, after, found);
    return unit === null ? null : takenUnit(tables, unit, found);
  });

const takenUnit = (
  { worker }: UnitTables,
  unit: number,
  { streams, unexpected }: Pick<Walked, 'streams' | 'unexpected'>,
): TakenUnit => ({ unit, worker, streams, strangers: unexpected.map((key) => unexpectedObject(key, null)) });
