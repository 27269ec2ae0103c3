import type pg from 'pg';
import { openPool, queryOn, withClient } from '../src/adapter/postgres/pool.ts';
import { orOutage } from '../src/adapter/postgres/postgres-outage.ts';
import { ensureRoles } from '../src/adapter/postgres/roles.ts';
import { noTenant } from '../src/adapter/postgres/scope.ts';
import type { Instant } from '../src/receipt/ids.ts';
import { PROJECTOR_VERSION } from '../src/stream/event.ts';
import { type AppliedCount, appliedCounts } from './head-differences.ts';
import { LIVE, type LiveState, liveStateOf } from './live-projection.ts';
import { type QuarantinedStream, quarantined } from './quarantine.ts';
import { RETIRED } from './swap.ts';

/** What the last run of a kind over the whole ledger saw, as `noteOffset` wrote it down. */
export type ProjectorOffset = {
  readonly projector: string;
  readonly projectorVersion: number;
  readonly streams: number;
  readonly receipts: number;
  readonly behindStreams: number;
  readonly behindReceipts: number;
  readonly differences: number;
  readonly updatedAt: Instant;
};

/** How the live projection stands, as far as Postgres alone can tell. */
export type Status = {
  readonly live: LiveState;
  /** Of the rows that are live, and of this program. */
  readonly version: { readonly live: number | null; readonly program: number };
  /** The projection that was live before the last rebuild, with its version; null when there is none to go back to. */
  readonly previous: { readonly version: number | null } | null;
  /** Streams and receipts that are applied, by kind of stream. */
  readonly applied: readonly AppliedCount[];
  /** Latest first. Gone with the projection that a rebuild replaces. */
  readonly offsets: readonly ProjectorOffset[];
  /** Receipts that the store had when it was last counted and that are not applied now; null when it never was. */
  readonly lagReceipts: number | null;
  readonly quarantined: readonly QuarantinedStream[];
  /** What must still follow from receipts. */
  readonly redoOpen: number;
  /** Whether the last drift found differences, and no rebuild came since. */
  readonly drifted: boolean;
};

/** Reads Postgres alone, and changes nothing there but to make roles that are missing: works while the store is away. Throws `Outage`. */
export const statusOf = async (databaseUrl: string): Promise<Status> => {
  await ensureRoles(databaseUrl);
  const pool = openPool({ url: databaseUrl, connections: 1, work: 'scans' });
  try {
    const live = await liveStateOf(pool);
    const isReadable = live === 'whole' || live === 'empty';
    const applied = isReadable ? await withClient(pool, (client) => appliedCounts(client, LIVE)) : [];
    const offsets = isReadable ? await offsetsOf(pool) : [];
    const { ops, liveComment, retired, retiredComment } = await schemasOf(pool);
    return {
      live,
      version: { live: versionOf(liveComment), program: PROJECTOR_VERSION },
      previous: retired ? { version: versionOf(retiredComment) } : null,
      applied,
      offsets,
      lagReceipts: lagOf(offsets, applied),
      quarantined: ops ? await quarantined(pool) : [],
      redoOpen: ops ? await redoOpenOf(pool) : 0,
      drifted: live === 'missing' || live === 'other' || offsets.some(isDrift),
    };
  } finally {
    await pool.end();
  }
};

const isDrift = ({ projector, differences }: ProjectorOffset): boolean => projector === 'drift' && differences > 0;

const offsetsOf = (pool: pg.Pool): Promise<readonly ProjectorOffset[]> =>
  orOutage(() =>
    queryOn<ProjectorOffset>(pool, noTenant, {
      text: `SELECT projector, projector_version AS "projectorVersion", streams, receipts, behind_streams AS "behindStreams",
               behind_receipts AS "behindReceipts", differences, updated_at AS "updatedAt"
             FROM ${LIVE}.projector_offsets ORDER BY updated_at DESC, projector`,
    }),
  );

/** The projection may have gone past the last count: then nothing of it lacks. */
const lagOf = ([latest]: readonly ProjectorOffset[], applied: readonly AppliedCount[]): number | null =>
  latest === undefined ? null : Math.max(0, latest.receipts - applied.reduce((sum, { receipts }) => sum + receipts, 0));

type Schemas = {
  readonly ops: boolean;
  readonly liveComment: string | null;
  readonly retired: boolean;
  readonly retiredComment: string | null;
};

const schemasOf = async (pool: pg.Pool): Promise<Schemas> => {
  const text = `SELECT to_regclass('ops.quarantined_streams') IS NOT NULL AS ops, to_regnamespace('${RETIRED}') IS NOT NULL AS retired,
                  obj_description(to_regnamespace('${LIVE}'), 'pg_namespace') AS "liveComment",
                  obj_description(to_regnamespace('${RETIRED}'), 'pg_namespace') AS "retiredComment"`;
  const [row] = await orOutage(() => queryOn<Schemas>(pool, noTenant, { text }));
  if (row === undefined) throw new TypeError('a select without a row');
  return row;
};

const redoOpenOf = async (pool: pg.Pool): Promise<number> => {
  const text = 'SELECT count(*) AS open FROM ops.redo_outbox WHERE done_at IS NULL';
  const [row] = await orOutage(() => queryOn<{ open: number }>(pool, noTenant, { text }));
  return row?.open ?? 0;
};

const versionOf = (comment: string | null): number | null => {
  const version = /^projector version (\d+)$/.exec(comment ?? '')?.[1];
  return version === undefined ? null : Number(version);
};
