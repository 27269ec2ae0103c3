import type pg from 'pg';
import type { Phase, Walked, WalkedPhase } from './unit-walk.ts';

export type FilledSoFar = {
  readonly streams: number;
  readonly receipts: number;
  /** Objects in all units that were given out, done or not, and the key behind the last of them. */
  readonly keys: number;
  readonly reached: string | null;
};

/** A unit of a process that died: the keys it lies between. */
export type LeftUnit = { readonly unit: number; readonly after: string | null; readonly last: string };

/** How far a phase is given out, and how many objects are in all units. */
export type WalkPlace = { readonly after: string | null; readonly walked: boolean; readonly given: number };

/** The tables that units stand in, as one process works on them, by one connection and one call at a time. All throw as `pg`. */
export type UnitTables = {
  /** The number that this process has for as long as its connection lasts. */
  readonly worker: number;
  readonly takeOver: (phase: Phase) => Promise<LeftUnit | null>;
  /** Runs `work` while no other process gives out units. */
  readonly inTurn: <T>(work: () => Promise<T>) => Promise<T>;
  readonly place: (phase: WalkedPhase) => Promise<WalkPlace>;
  /** Makes a unit of what a walk came upon, for this process; null where it came upon nothing. */
  readonly give: (phase: WalkedPhase, after: string | null, walked: Walked) => Promise<number | null>;
  readonly open: (phase: Phase) => Promise<number>;
  readonly soFar: () => Promise<FilledSoFar>;
  /** A page of the reports of units behind one. */
  readonly reports: (phase: Phase, after: number) => Promise<readonly { readonly unit: number; readonly report: string }[]>;
};

/** Classes of advisory locks (two integers each): who lives, and whose turn it is to give out. Any numbers do. */
const LIVING = 0x70697801;
const TURN = 0x70697802;

const MAX_WORKER = 2 ** 31 - 1;

export const unitTables = async (client: pg.ClientBase, schema: string): Promise<UnitTables> => {
  const worker = await beLiving(client);
  const all = async <Row extends pg.QueryResultRow>(text: string, values: readonly unknown[] = []): Promise<readonly Row[]> =>
    (await client.query<Row>(text, [...values])).rows;
  return {
    worker,
    takeOver: async (phase) => (await all<LeftUnit>(takeOverSql(schema), [worker, phase, LIVING]))[0] ?? null,
    inTurn: async (work) => {
      await client.query('SELECT pg_advisory_lock($1, 1)', [TURN]);
      try {
        return await work();
      } finally {
        await client.query('SELECT pg_advisory_unlock($1, 1)', [TURN]);
      }
    },
    place: async (phase) => (await all<WalkPlace>(placeSql(schema, phase)))[0] ?? { after: null, walked: true, given: 0 },
    give: (phase, after, walked) => give(client, schema, { phase, after, worker }, walked),
    open: async (phase) => (await all<{ open: number }>(openSql(schema), [phase]))[0]?.open ?? 0,
    soFar: async () => (await all<FilledSoFar>(soFarSql(schema)))[0] ?? { streams: 0, receipts: 0, keys: 0, reached: null },
    reports: (phase, after) => all(reportsSql(schema), [phase, after]),
  };
};

/** Takes a number that no living process has, and holds it for as long as the connection lasts. */
const beLiving = async (client: pg.ClientBase): Promise<number> => {
  for (;;) {
    const worker = Math.floor(Math.random() * MAX_WORKER);
    const { rows } = await client.query<{ mine: boolean }>('SELECT pg_try_advisory_lock($1, $2) AS mine', [LIVING, worker]);
    if (rows[0]?.mine === true) return worker;
  }
};

type Giving = { readonly phase: WalkedPhase; readonly after: string | null; readonly worker: number };

const give = async (
  client: pg.ClientBase,
  schema: string,
  { phase, after, worker }: Giving,
  { last, keys, ended }: Walked,
): Promise<number | null> => {
  await client.query('BEGIN');
  let unit: number | null = null;
  if (last !== null) {
    const { rows } = await client.query<{ unit: number }>(
      `INSERT INTO ${schema}.units (unit, phase, after, last, keys, worker)
       SELECT coalesce(max(unit), 0) + 1, $1, $2, $3, $4, $5 FROM ${schema}.units RETURNING unit`,
      [phase, after, last, keys, worker],
    );
    unit = rows[0]?.unit ?? null;
  }
  await client.query(`UPDATE ${schema}.filling SET ${phase}_after = coalesce($1, ${phase}_after), ${phase}_walked = $2`, [
    last,
    ended,
  ]);
  // A crash before this: nobody has taken it. After this: it is ours, and as we are dead, anybody's.
  await client.query('COMMIT');
  return unit;
};

const takeOverSql = (schema: string): string => `
  UPDATE ${schema}.units SET worker = $1 WHERE unit = (
    SELECT unit FROM ${schema}.units AS u
     WHERE done_at IS NULL AND phase = $2 AND NOT EXISTS (
       SELECT FROM pg_locks AS l WHERE l.locktype = 'advisory' AND l.classid::bigint = $3 AND l.objid::bigint = u.worker
          AND l.objsubid = 2 AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database()))
     ORDER BY unit LIMIT 1 FOR UPDATE SKIP LOCKED)
  RETURNING unit, after, last`;

const placeSql = (schema: string, phase: WalkedPhase): string => `
  SELECT ${phase}_after AS after, ${phase}_walked AS walked,
         (SELECT coalesce(sum(keys), 0) FROM ${schema}.units)::bigint AS given FROM ${schema}.filling`;

const openSql = (schema: string): string => `SELECT count(*) AS open FROM ${schema}.units WHERE phase = $1 AND done_at IS NULL`;

const soFarSql = (schema: string): string => `
  SELECT coalesce(sum(streams), 0)::bigint AS streams, coalesce(sum(receipts), 0)::bigint AS receipts,
         coalesce(sum(keys), 0)::bigint AS keys, (SELECT others_after FROM ${schema}.filling) AS reached FROM ${schema}.units`;

const reportsSql = (schema: string): string =>
  `SELECT unit, report FROM ${schema}.units WHERE phase = $1 AND unit > $2 AND done_at IS NOT NULL ORDER BY unit LIMIT 100`;
