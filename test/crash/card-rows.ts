import { FAULT_KINDS, type FaultKind } from '../../src/adapter/memory/faults.ts';
import { callsOf, runCardCase } from './card-case.ts';
import { type CardRival, type CardSubject, cardSubjects } from './card-subjects.ts';
import type { Variant } from './world.ts';

/** A row of the crash table; `n` numbers the whole table. */
export type CardRow = {
  readonly n: number;
  readonly subject: CardSubject;
  readonly rival: CardRival | null;
  readonly call: number;
  readonly method: string;
  readonly kind: FaultKind | null;
};

/** Every call of every subject, failing in every way, against every rival. */
export const allRows = async (): Promise<readonly CardRow[]> => {
  const rows: CardRow[] = [];
  for (const subject of cardSubjects) {
    const calls = await callsOf(subject);
    for (const rival of subject.rivals)
      for (const [call, { port, method }] of calls.entries())
        for (const kind of FAULT_KINDS) rows.push({ n: rows.length, subject, rival, call, method: `${port}.${method}`, kind });
  }
  return rows;
};

/** What a client may hear when a dependency failed: it repeats its request. */
const PASSING: readonly (string | null)[] = ['outage', 'outcome-unknown', 'contended', 'later', null];

export type Judged = { readonly complaints: readonly string[]; readonly struck: boolean };

/**
 * Runs a row. It must leave nothing broken, lost or half done, and answer the retry: with the receipt, or with the rule by which the rival
 * won; and what was told for good must stay.
 */
export const judgeRow = async (row: Omit<CardRow, 'n'>, variant: Variant = {}): Promise<Judged> => {
  const { subject, rival, call, method, kind } = row;
  const { findings, faults, first, retried, struck } = await runCardCase({ subject, call, kind, rival }, variant);
  const final: readonly (string | null)[] = ['ok', 'done', ...(rival?.refusals ?? []), ...(subject.refusals ?? [])];
  const complaints = [
    ...findings.map(({ invariant, detail }) => `${invariant}: ${detail}`),
    ...faults,
    ...(final.includes(retried) ? [] : [`the retry was answered with ${retried}`]),
    ...(final.includes(first) || PASSING.includes(first) ? [] : [`the first answer was ${first}`]),
    ...(final.includes(first) && first !== 'ok' && first !== retried ? [`first ${first}, then ${retried}`] : []),
  ];
  const title = `${subject.name}, ${kind ?? 'no fault'} at call ${call} (${method}), against ${rival?.name ?? 'nobody'}`;
  return { complaints: complaints.map((complaint) => `${title}: ${complaint}`), struck };
};
