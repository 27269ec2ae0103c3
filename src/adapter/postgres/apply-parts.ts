import type { Application } from '../../port/read-model.ts';
import type { ProjectedTable, RowChange } from '../../projection/row-change.ts';
import { type Row, type Value, headRowOf } from '../../projection/rows.ts';
import { eventIdAt } from '../../receipt/key-path.ts';

/** What a part of the statement does. They run in this order: heads first. */
export const partKinds = ['first-head', 'next-head', 'insert', 'update', 'delete', 'redo'] as const;
export type PartKind = (typeof partKinds)[number];

/** Changes of one shape have one SQL text, whatever their values. */
export type Shape = {
  /** Equal for equal shapes; sorts as `partKinds`. */
  readonly name: string;
  readonly kind: PartKind;
  readonly table: ProjectedTable | 'redo_outbox';
  /** Columns that find the row, and columns that are written. */
  readonly key: readonly string[];
  readonly set: readonly string[];
};

/** Changes that differ in their values only. */
export type Part = {
  readonly shape: Shape;
  /** Of each row the number of its application, and for each column of `key` and then of `set` the value in each row. */
  readonly numbers: number[];
  readonly values: readonly Value[][];
};

/** Takes applications apart by shape: one array a column, whatever the number of receipts. In the order in which they must run. */
export const partsOf = (applications: readonly Application[]): readonly Part[] => {
  const parts = new Map<string, Part>();
  for (const [n, application] of applications.entries()) {
    add(parts, n, headMove(application));
    for (const change of application.projected.changes) add(parts, n, movesOf(change));
    const { eventId, createdAt } = application.head;
    for (const { target, kind } of application.projected.redo)
      add(parts, n, {
        kind: 'redo',
        table: 'redo_outbox',
        key: {},
        set: { event_id: eventId, target, kind, created_at: createdAt },
      });
  }
  return [...parts.values()].sort((a, b) => (a.shape.name < b.shape.name ? -1 : 1));
};

type Move = { readonly kind: PartKind; readonly table: Shape['table']; readonly key: Row; readonly set: Row };

const add = (parts: Map<string, Part>, n: number, { kind, table, key, set }: Move): void => {
  const keyColumns = Object.keys(key);
  const setColumns = Object.keys(set);
  const name = `${partKinds.indexOf(kind)} ${table} ${keyColumns.join(' ')}: ${setColumns.join(' ')}`;
  let part = parts.get(name);
  if (part === undefined) {
    const shape: Shape = { name, kind, table, key: keyColumns, set: setColumns };
    part = { shape, numbers: [], values: [...keyColumns, ...setColumns].map(() => []) };
    parts.set(name, part);
  }
  part.numbers.push(n);
  let column = 0;
  for (const name of keyColumns) part.values[column++]?.push(key[name] ?? null);
  for (const name of setColumns) part.values[column++]?.push(set[name] ?? null);
};

const headMove = ({ stream, head }: Application): Move => {
  const at = headRowOf(stream, head);
  if (head.position === 0) return { kind: 'first-head', table: at.table, key: {}, set: at.row };
  const { position = null, event_id = null, hash = null, created_at = null, ...stays } = at.row;
  const before = { position_before: head.position - 1, event_id_before: eventIdAt(stream, head.position - 1) };
  return { kind: 'next-head', table: at.table, key: { ...stays, ...before }, set: { position, event_id, hash, created_at } };
};

const movesOf = (change: RowChange): Move => {
  switch (change.op) {
    case 'insert':
      return { kind: 'insert', table: change.table, key: {}, set: { ...change.row } };
    case 'update':
      return { kind: 'update', table: change.table, key: { ...change.key }, set: { ...change.set } };
    case 'delete':
      return { kind: 'delete', table: change.table, key: { ...change.key }, set: {} };
  }
};
