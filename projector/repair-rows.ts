import type pg from 'pg';
import { parsePrefix } from '../src/receipt/key-path.ts';
import type { HeadDifference } from './head-differences.ts';
import { type LedgerScope, scopeBelow } from './ledger-scope.ts';
import { type MendedRows, mendRows } from './mend-rows.ts';
import type { Unmended } from './repair.ts';
import { type ScopeDriftOptions, scopeDrift } from './scope-drift.ts';

export type RowsToRepair = Pick<ScopeDriftOptions, 'source' | 'trust'> & { readonly scope: LedgerScope | null };

export type RowsReport = { readonly mended: readonly MendedRows[]; readonly unmended: readonly Unmended[] };

/** Every stream of the ledger. */
const EVERYWHERE = scopeBelow('pixpax');

/**
 * Finds the streams whose live rows are not what their receipts give, and mends them one by one. One that is at fault in the store is left as it
 * is: its rows may be all that is left of it. A crash leaves the rest to the next repair. The pool is of `scans`. Throws `Outage`.
 */
export const repairRows = async (pool: pg.Pool, { source, trust, scope }: RowsToRepair): Promise<RowsReport> => {
  const differing = new Set<string>();
  const { heads } = await scopeDrift(pool, { source, trust, scope: scope ?? EVERYWHERE }, ({ stream }) => differing.add(stream));
  for (const { stream } of heads) differing.add(stream);
  const mended: MendedRows[] = [];
  const unmended: Unmended[] = [];
  for (const prefix of [...differing].sort()) {
    const parsed = parsePrefix(prefix);
    // Rows of what cannot be a stream: a rebuild does away with them.
    if (!parsed.ok) unmended.push({ stream: prefix, position: -1, code: 'rows' });
    else {
      const outcome = await mendRows(pool, { source, trust }, parsed.value);
      if (outcome.ok) mended.push(outcome.value);
      else if (outcome.error.code === 'ahead') unmended.push(aheadOf(prefix, outcome.error.position, heads));
    }
  }
  return { mended, unmended };
};

const aheadOf = (stream: string, position: number, heads: readonly HeadDifference[]): Unmended => ({
  stream,
  position: heads.find((head) => head.stream === stream)?.live?.position ?? position,
  code: 'ahead',
});
