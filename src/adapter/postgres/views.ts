import type pg from 'pg';
import type { View, ViewRequest } from '../../port/read-model.ts';
import { idempotencyDigestOf } from '../../projection/project.ts';
import { headOfRow, identityOfRow, seenOfRow } from '../projection-row.ts';
import { MalformedRow, type RawRow, storedCount, storedText } from '../stored-column.ts';
import { queryOn } from './pool.ts';
import { againstRivals } from './postgres-outage.ts';

/**
 * Something that is another one whenever what this process remembers of the projection is void: its tables were made anew, swapped or
 * truncated, the database or the server is another one, or the server started again (and may have lost what was not yet synced).
 * The table is named here exactly as in the rest of the statement, so that both always mean the same one.
 */
const epochSql = (schema: string): string =>
  `concat_ws('.', (SELECT oid FROM pg_database WHERE datname = current_database()), '${schema}.receipts'::regclass::oid, ` +
  `pg_relation_filenode('${schema}.receipts'::regclass), extract(epoch FROM pg_postmaster_start_time()))`;

const identityColumns = ['identity_id', 'account_id', 'status', 'controller', 'public_key_id', 'public_key', 'key_generation'];

/** The columns of an identity in a select list, each named `{prefix}{column}`. */
export const identitySelect = (alias: string, prefix: string): string =>
  identityColumns.map((column) => `${alias}.${column} AS ${prefix}${column}`).join(', ');

/** What both kinds of view select besides their own: head `h`, receipt `seen`, and what is the same for the whole batch in row 0. */
export const sharedSelect = (schema: string): string =>
  `r.n, h.position, h.event_id, h.hash, h.created_at, ` +
  `seen.event_id AS seen_event_id, seen.hash AS seen_hash, seen.position AS seen_position, seen.fingerprint AS seen_fingerprint, ` +
  `${identitySelect('operator', 'operator_')}, CASE WHEN r.n = 0 THEN ${epochSql(schema)} END AS epoch`;

export const sharedJoins = (schema: string): string =>
  `LEFT JOIN ${schema}.receipts AS seen ON seen.idempotency_digest = r.digest ` +
  `LEFT JOIN ${schema}.identities AS operator ON r.n = 0 AND operator.identity_id = 'idn_operator'`;

export type SharedView = Pick<View<unknown>, 'epoch' | 'head' | 'seen' | 'operator'>;

/** Runs one statement for many requests: all see one snapshot, taken after every one of them was made. */
export const viewTogether = async <Request extends ViewRequest, Answer>(
  pool: pg.Pool,
  statement: { readonly name: string; readonly text: string },
  requests: readonly Request[],
  parameters: (request: Request) => readonly (string | null)[],
  answer: (row: RawRow, shared: SharedView) => Answer,
): Promise<Answer[]> => {
  const inputs = requests.map((request, n) => [
    n,
    idempotencyDigestOf(request.stream, request.idempotencyKey),
    ...parameters(request),
  ]);
  const columns = (inputs[0] ?? []).map((_, column) => inputs.map((input) => input[column]));
  const rows = await againstRivals(() => queryOn<RawRow>(pool, { ...statement, values: columns }));
  const first = rows.find((row) => row.n === 0);
  if (first === undefined) throw new MalformedRow('view');
  const epoch = storedText('epoch', first.epoch);
  const operator = identityOfRow(first, 'operator_');
  const answers = new Array<Answer>(requests.length);
  for (const row of rows)
    answers[storedCount('n', row.n)] = answer(row, { epoch, operator, head: headOfRow(row), seen: seenOfRow(row, 'seen_') });
  return answers;
};
