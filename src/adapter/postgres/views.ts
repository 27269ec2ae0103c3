import type pg from 'pg';
import type { View, ViewRequest } from '../../port/read-model.ts';
import { idempotencyDigestOf } from '../../projection/project.ts';
import { OPERATOR_IDENTITY_ID } from '../../receipt/ids.ts';
import { headOfRow, identityOfRow, seenOfRow } from '../projection-row.ts';
import { MalformedRow, type RawRow, storedText } from '../stored-column.ts';
import { actingOfRow, actorInputs, actorJoins, actorSelect, askedActor } from './acting.ts';
import { identitySelect } from './identity-select.ts';
import { queryOn } from './pool.ts';
import { againstRivals } from './postgres-outage.ts';
import { type Scope, accountsOf, tenants } from './scope.ts';

/**
 * Something that is another one whenever what this process remembers of the projection is void: its tables were made anew, swapped or
 * truncated, the database or the server is another one, or the server started again (and may have lost what was not yet synced).
 * The table is named here exactly as in the rest of the statement, so that both always mean the same one.
 */
const epochSql = (schema: string): string =>
  `concat_ws(' ', '${schema}.receipts'::regclass::oid, pg_relation_filepath('${schema}.receipts'::regclass), pg_postmaster_start_time())`;

/** One kind of view, in SQL: `r` is a row of the inputs, and `h` must be the stream's head. */
export type ViewKind = {
  readonly name: string;
  /** Columns of `r` besides `n` and `digest`, all text. */
  readonly inputs: readonly string[];
  readonly select: string;
  readonly joins: string;
  /** Whether requests of this kind may name an actor. Where none does, nobody waits for it to be looked for. */
  readonly actors: boolean;
};

/**
 * The statement of a kind, for one request or for many. One is worth a text of its own: without arrays it costs Postgres a quarter less,
 * and a lone command waits for it. What is the same for the whole batch, epoch and operator, is in row 0 only.
 */
const textOf = (schema: string, kind: ViewKind, single: boolean): string => {
  const inputs = [...kind.inputs, ...(kind.actors ? actorInputs : [])];
  const types = ['integer', 'bytea', ...inputs.map(() => 'text')];
  const parameters = types.map((type, i) => `$${i + 1}::${type}${single ? '' : '[]'}`).join(', ');
  return `
    SELECT r.n, h.position, h.event_id, h.hash, h.created_at,
      seen.event_id AS seen_event_id, seen.hash AS seen_hash, seen.position AS seen_position, seen.fingerprint AS seen_fingerprint,
      ${identitySelect('operator', 'operator_')}, CASE WHEN r.n = 0 THEN ${epochSql(schema)} END AS epoch,
      ${kind.select}${kind.actors ? `, ${actorSelect}` : ''}
    FROM ${single ? `(SELECT ${parameters})` : `unnest(${parameters})`} AS r(n, digest, ${inputs.join(', ')})
    ${kind.joins}
    ${kind.actors ? actorJoins(schema) : ''}
    LEFT JOIN ${schema}.receipts AS seen ON seen.idempotency_digest = r.digest
    LEFT JOIN ${schema}.identities AS operator ON r.n = 0 AND operator.identity_id = '${OPERATOR_IDENTITY_ID}'`;
};

export type SharedView = Pick<View<unknown>, 'epoch' | 'head' | 'seen' | 'operator' | 'acting'>;

/** Of a batch: the accounts its streams and its actors belong to. The operator's identity is shown to all. */
export const scopeOfViews = (requests: readonly ViewRequest[]): Scope =>
  tenants(...requests.flatMap(({ stream, actor }) => [...accountsOf(stream), ...(actor ? [actor.accountId] : [])]));

/** Runs one statement for many requests: all see one snapshot, taken after every one of them was made. Answers in their order. */
export const viewsOf = <Request extends ViewRequest, Answer>(
  pool: pg.Pool,
  schema: string,
  kind: ViewKind,
  inputsOf: (request: Request) => readonly (string | null)[],
  answer: (row: RawRow, request: Request, shared: SharedView) => Answer,
): ((requests: readonly Request[]) => Promise<Answer[]>) => {
  const one = { name: `${kind.name}_view`, text: textOf(schema, kind, true) };
  const many = { name: `${kind.name}_views`, text: textOf(schema, kind, false) };
  return async (requests) => {
    const rows = requests.map((request, n) => [
      n,
      idempotencyDigestOf(request.stream, request.idempotencyKey),
      ...inputsOf(request),
      ...(kind.actors ? askedActor(request) : []),
    ]);
    const [first = []] = rows;
    const query =
      rows.length === 1
        ? { ...one, values: first }
        : { ...many, values: first.map((_, column) => rows.map((row) => row[column])) };
    const found = await againstRivals(() => queryOn<RawRow>(pool, scopeOfViews(requests), query));
    const byNumber = new Map(found.map((row) => [row.n, row]));
    const shared = byNumber.get(0);
    if (shared === undefined) throw new MalformedRow('view');
    const epoch = storedText('epoch', shared.epoch);
    const operator = identityOfRow(shared, 'operator_');
    return requests.map((request, n) => {
      const row = byNumber.get(n);
      if (row === undefined) throw new MalformedRow('view');
      const acting = kind.actors ? actingOfRow(row, request) : null;
      return answer(row, request, { epoch, operator, acting, head: headOfRow(row), seen: seenOfRow(row, 'seen_') });
    });
  };
};
