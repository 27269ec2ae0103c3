import type { Notice } from '../port/notice.ts';
import type { RunEnd, RunKind } from '../port/runs.ts';
import { type Json, type JsonObject, isJsonObject } from '../receipt/json.ts';
import { LEDGER_ROOT } from '../receipt/key-path.ts';

/**
 * What operators must hear of a drift run, whoever asked for it; null when it found nothing, or came to nothing. The report is the command line's;
 * where it was too long to be kept, the notice says so with fewer words.
 */
export const driftNotice = (kind: RunKind, runId: string, { exitCode, reason, report }: RunEnd): Notice | null => {
  if (kind !== 'drift' || reason !== null || exitCode === 0) return null;
  const [heads, rows] = [listIn(report, 'heads'), listIn(report, 'rows')];
  const ledger = isJsonObject(report?.ledger) ? report.ledger : null;
  const [fault] = listIn(ledger, 'faults');
  if (report?.drifted === true || ledger === null) {
    const detail = `${runId} found differences between the projection and what the receipts give`;
    return { level: 'alarm', code: 'projection-different', stream: streamOf(heads[0] ?? rows[0]), detail };
  }
  const code = isJsonObject(fault) && typeof fault.code === 'string' ? fault.code : 'not valid';
  return {
    level: 'alarm',
    code: 'ledger-invalid',
    stream: streamOf(fault),
    detail: `${runId} found faults in the ledger: ${code}`,
  };
};

const listIn = (object: JsonObject | null, member: string): readonly Json[] => {
  const list = object?.[member];
  return isList(list) ? list : [];
};

const isList = (value: Json | undefined): value is readonly Json[] => Array.isArray(value);

/** The first of those concerned; where there is none that is named, the whole ledger. */
const streamOf = (item: Json | undefined): string =>
  isJsonObject(item) && typeof item.stream === 'string' ? item.stream : LEDGER_ROOT.slice(0, -1);
