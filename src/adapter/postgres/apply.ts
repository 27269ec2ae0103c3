import type pg from 'pg';
import { limits } from '../../limits.ts';
import type { Application, ApplyOutcome } from '../../port/read-model.ts';
import { type Head, nextPosition } from '../../receipt/chain.ts';
import { parseReceiptHash } from '../../receipt/ids.ts';
import { eventIdAt, prefixOf } from '../../receipt/key-path.ts';
import { type RawRow, stored, storedCount } from '../stored-column.ts';
import { type ApplyStatement, applyStatements } from './apply-statement.ts';
import { appliedHead, isTaken } from './heads.ts';
import { withClient } from './pool.ts';
import { againstRivals } from './postgres-outage.ts';
import { type Scope, scopeOf } from './scope.ts';
import { runScoped } from './scoped-query.ts';

/**
 * Applies receipts of different streams together: one statement, so one round trip and one fsync. Answers in their order. When it throws,
 * nothing was applied, unless what it throws is an outage.
 */
export const applyTogether = (
  pool: pg.Pool,
  schema: string,
): ((applications: readonly Application[]) => Promise<ApplyOutcome[]>) => {
  const statementFor = applyStatements(schema);
  return async (applications) => {
    const sorted = applications
      .map((application, place) => ({ application, place, prefix: prefixOf(application.stream) }))
      .sort((a, b) => (a.prefix < b.prefix ? -1 : 1));
    const outcomes = new Array<ApplyOutcome>(applications.length);
    let remaining = sorted;
    await withClient(pool, async (client) => {
      for (let attempt = 1; remaining.length > 0; attempt++) {
        const together = remaining.map(({ application }) => application);
        const moved = await movedBy(client, scopeOf(together.map(({ stream }) => stream)), statementFor(together));
        const unmoved: typeof sorted = [];
        for (const [n, item] of remaining.entries()) {
          const outcome = moved.has(n) ? 'applied' : await standing(client, schema, item.application);
          if (outcome === 'movable' && attempt < limits.databaseRivalAttempts) unmoved.push(item);
          else outcomes[item.place] = outcome === 'movable' ? 'behind' : outcome;
        }
        remaining = unmoved;
      }
    });
    return outcomes;
  };
};

/** Which applications of a statement moved their head. */
const movedBy = async (
  client: pg.PoolClient,
  scope: Scope,
  { name, text, values }: ApplyStatement,
): Promise<ReadonlySet<number>> => {
  const query = { ...(name === undefined ? {} : { name }), text, values: [...values] };
  // A crash before this answers: applied or not, all or nothing. Whoever touches the streams next catches up from the store.
  const { rows } = await againstRivals(() => runScoped<RawRow>(client, scope, query));
  return new Set(rows.map(({ n }) => storedCount('n', n)));
};

/**
 * How a receipt whose head did not move stands to what is applied, in a snapshot later than the statement's. `movable`: its
 * predecessor was applied in between, so that it can be applied now.
 */
const standing = async (
  client: pg.PoolClient,
  schema: string,
  { stream, head }: Application,
): Promise<Exclude<ApplyOutcome, 'applied'> | 'movable'> => {
  const current = await appliedHead(client, schema, stream);
  if (current === null && (await isTaken(client, schema, stream))) return 'different';
  const next = nextPosition(current);
  if (next < head.position) return 'behind';
  if (next === head.position)
    return current === null || current.eventId === eventIdAt(stream, current.position) ? 'movable' : 'different';
  if (current?.position === head.position) return sameReceipt(current, head) ? 'already' : 'different';
  const { rows } = await runScoped<RawRow>(client, scopeOf([stream]), {
    text: `SELECT hash FROM ${schema}.receipts WHERE event_id = $1`,
    values: [head.eventId],
  });
  const found = rows[0];
  return found !== undefined && stored('receipts.hash', parseReceiptHash, found.hash) === head.hash ? 'already' : 'different';
};

const sameReceipt = (a: Head, b: Head): boolean => a.eventId === b.eventId && a.hash === b.hash;
