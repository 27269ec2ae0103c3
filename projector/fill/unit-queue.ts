import type pg from 'pg';
import { connectTo } from '../../src/adapter/postgres/pool.ts';
import { orOutage } from '../../src/adapter/postgres/postgres-outage.ts';
import type { BatchReport, Unit } from '../lane.ts';
import { unexpectedObject } from '../ledger-fault.ts';
import type { LedgerSource, StreamListing } from '../source.ts';
import { fillingSchemaOf } from './filling.ts';
import { type Phase, type Walked, type WalkedPhase, openUnitWalk, streamsOfUnit } from './unit-walk.ts';

/** A unit that this process has taken on, with the streams it is made of. */
export type TakenUnit = Unit & { readonly streams: readonly StreamListing[] };

export type FilledSoFar = {
  readonly streams: number;
  readonly receipts: number;
  /** Objects in all units that were given out, done or not, and the key behind the last of them. */
  readonly keys: number;
  readonly reached: string | null;
};

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

/** Classes of advisory locks (two integers each): who lives, and whose turn it is to give out. Any numbers do. */
const LIVING = 0x70697801;
const TURN = 0x70697802;

const MAX_WORKER = 2 ** 31 - 1;

/**
 * Takes part in the filling of `schema`. While this process lives, or rather its connection, its units are its own; afterwards others take
 * them over, and what it still sends of them is refused. Throws `Outage`.
 */
export const openUnitQueue = async (pool: pg.Pool, schema: string, source: LedgerSource, lanes: number): Promise<UnitQueue> => {
  const tables = fillingSchemaOf(schema);
  const client = await connectTo(pool);
  const worker = await orOutage(() => beLiving(client));
  const walks = { accounts: openUnitWalk(source, 'accounts', lanes), others: openUnitWalk(source, 'others', lanes) };
  let turn: Promise<unknown> = Promise.resolve();

  /** One connection: each call waits for the one before. */
  const inTurn = <T>(work: () => Promise<T>): Promise<T> => {
    const mine = turn.then(work);
    turn = mine.catch(() => undefined);
    return orOutage(() => mine);
  };

  const takeOver = async (phase: Phase): Promise<TakenUnit | null> => {
    const { rows } = await client.query<{ unit: number; after: string | null; last: string }>(
      `UPDATE ${tables}.units SET worker = $1 WHERE unit = (
         SELECT unit FROM ${tables}.units AS u
          WHERE done_at IS NULL AND phase = $2 AND NOT EXISTS (
            SELECT FROM pg_locks AS l WHERE l.locktype = 'advisory' AND l.classid::bigint = $3 AND l.objid::bigint = u.worker
               AND l.objsubid = 2 AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database()))
          ORDER BY unit LIMIT 1 FOR UPDATE SKIP LOCKED)
       RETURNING unit, after, last`,
      [worker, phase, LIVING],
    );
    const [left] = rows;
    if (left === undefined) return null;
    return { unit: left.unit, worker, ...unitOf(await streamsOfUnit(source, phase, left)) };
  };

  const walkOn = async (phase: WalkedPhase): Promise<TakenUnit | null> => {
    // Whoever gives out holds this, the listing of a page or two included; should we die, it goes with the connection.
    await client.query('SELECT pg_advisory_lock($1, 1)', [TURN]);
    try {
      const { rows } = await client.query<{ after: string | null; walked: boolean; given: number }>(
        `SELECT ${phase}_after AS after, ${phase}_walked AS walked,
                (SELECT coalesce(sum(keys), 0) FROM ${tables}.units)::bigint AS given FROM ${tables}.filling`,
      );
      const [at] = rows;
      if (at === undefined || at.walked) return null;
      const walked = await walks[phase](at.after, at.given);
      return await give(phase, at.after, walked);
    } finally {
      await client.query('SELECT pg_advisory_unlock($1, 1)', [TURN]);
    }
  };

  const give = async (phase: WalkedPhase, after: string | null, walked: Walked): Promise<TakenUnit | null> => {
    const { last, ended } = walked;
    await client.query('BEGIN');
    let unit: number | null = null;
    if (last !== null) {
      const { rows } = await client.query<{ unit: number }>(
        `INSERT INTO ${tables}.units (unit, phase, after, last, keys, worker)
         SELECT coalesce(max(unit), 0) + 1, $1, $2, $3, $4, $5 FROM ${tables}.units RETURNING unit`,
        [phase, after, last, walked.keys, worker],
      );
      unit = rows[0]?.unit ?? null;
    }
    await client.query(`UPDATE ${tables}.filling SET ${phase}_after = coalesce($1, ${phase}_after), ${phase}_walked = $2`, [
      last,
      ended,
    ]);
    // A crash before this: nobody has taken it. After this: it is ours, and as we are dead, anybody's.
    await client.query('COMMIT');
    return unit === null ? null : { unit, worker, ...unitOf(walked) };
  };

  return {
    next: (phase) => inTurn(async () => (await takeOver(phase)) ?? (phase === 'operator' ? null : await walkOn(phase))),
    open: (phase) =>
      inTurn(async () => {
        const { rows } = await client.query<{ open: number }>(
          `SELECT count(*) AS open FROM ${tables}.units WHERE phase = $1 AND done_at IS NULL`,
          [phase],
        );
        return rows[0]?.open ?? 0;
      }),
    soFar: () =>
      inTurn(async () => {
        const { rows } = await client.query<FilledSoFar>(
          `SELECT coalesce(sum(streams), 0)::bigint AS streams, coalesce(sum(receipts), 0)::bigint AS receipts,
                  coalesce(sum(keys), 0)::bigint AS keys, (SELECT others_after FROM ${tables}.filling) AS reached FROM ${tables}.units`,
        );
        return rows[0] ?? { streams: 0, receipts: 0, keys: 0, reached: null };
      }),
    reports: async function* (phase) {
      for (let unit = -1; ; ) {
        const from = unit;
        const { rows } = await inTurn(() =>
          client.query<{ unit: number; report: string }>(
            `SELECT unit, report FROM ${tables}.units WHERE phase = $1 AND unit > $2 AND done_at IS NOT NULL ORDER BY unit LIMIT 100`,
            [phase, from],
          ),
        );
        for (const { report } of rows) yield JSON.parse(report) as BatchReport;
        const last = rows.at(-1);
        if (last === undefined) return;
        unit = last.unit;
      }
    },
    close: () => client.release(true),
  };
};

const unitOf = ({ streams, unexpected }: Pick<Walked, 'streams' | 'unexpected'>) => ({
  streams,
  strangers: unexpected.map((key) => unexpectedObject(key, null)),
});

/** Takes a number that no living process has, and holds it for as long as the connection lasts. */
const beLiving = async (client: pg.ClientBase): Promise<number> => {
  for (;;) {
    const worker = Math.floor(Math.random() * MAX_WORKER);
    const { rows } = await client.query<{ mine: boolean }>('SELECT pg_try_advisory_lock($1, $2) AS mine', [LIVING, worker]);
    if (rows[0]?.mine === true) return worker;
  }
};
