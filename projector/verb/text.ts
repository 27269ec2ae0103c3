import type { LedgerFault } from '../ledger-fault.ts';
import type { LedgerReport } from '../ledger-report.ts';
import type { SegmentReport } from '../segment/segment-tally.ts';

export const count = (n: number, one: string, many = `${one}s`): string => `${n.toLocaleString('en-US')} ${n === 1 ? one : many}`;

/** Columns side by side, each as wide as its widest value. */
export const aligned = (rows: readonly (readonly string[])[]): string => {
  const widths: number[] = [];
  for (const row of rows) for (const [i, value] of row.entries()) widths[i] = Math.max(widths[i] ?? 0, value.length);
  return rows
    .map((row) =>
      row
        .map((value, i) => value.padEnd(widths[i] ?? 0))
        .join('  ')
        .trimEnd(),
    )
    .join('\n');
};

/** Object keys and file names come from anywhere: control characters must not reach a terminal. */
export const visible = (text: string): string =>
  // biome-ignore lint/suspicious/noControlCharactersInRegex: these are what it is about
  text.replaceAll(/[\u0000-\u001f\u007f-\u009f]/g, (char) => `\\x${char.charCodeAt(0).toString(16).padStart(2, '0')}`);

/** What was read, what is wrong with it, and the verdict in one line. */
export const ledgerText = (report: LedgerReport): string => {
  const head = aligned([
    ['ledger', visible(report.source)],
    ['anchor', anchorOf(report)],
  ]);
  return [head, ...faultsText(report), ...segmentFaultsText(report.segments), verdictLine(report)].join('\n\n');
};

const anchorOf = ({ fingerprint, pinned }: LedgerReport): string => {
  if (fingerprint === null) return 'none: there is no genesis receipt that could be believed';
  return pinned ? fingerprint : `${fingerprint}\n        not pinned: compare it with the one you were given, or use --trust`;
};

const faultsText = ({ faults, faultCount }: LedgerReport): readonly string[] => {
  const listed = faults.map(faultText);
  return faultCount > faults.length ? [...listed, `and ${count(faultCount - faults.length, 'fault')} more`] : listed;
};

/** What is wrong with segments, and what that means. Empty when nothing is. */
export const segmentFaultsText = (segments: SegmentReport | undefined): readonly string[] => {
  if (segments === undefined || segments.faultCount === 0) return [];
  const listed = segments.faults.map(({ code, key, event, detail }) => {
    const where = event === null ? '' : `\n  ${visible(event)}`;
    return `${code}\n  ${visible(key)}${where}\n  ${detail}`;
  });
  const more = segments.faultCount - segments.faults.length;
  return [
    ...listed,
    ...(more > 0 ? [`and ${count(more, 'fault')} of segments more`] : []),
    'What is wrong with a segment is no fault of the receipts: the events were read instead. `segments --prune` does away with it.',
  ];
};

/** One fault, with the key to look at. */
export const faultText = ({ code, key, position, detail, unverifiable }: LedgerFault): string => {
  const where = position === null ? '' : ` at position ${position.toLocaleString('en-US')}`;
  const after = unverifiable === 0 ? '' : `; ${count(unverifiable, 'receipt')} after it cannot be judged`;
  return `${code}${where}\n  ${visible(key)}\n  ${detail}${after}`;
};

/** The verdict and nothing else, in one line. */
export const verdictLine = (report: LedgerReport): string => {
  const { receipts, streams, fingerprint, pinned, unverifiable, faultCount } = report;
  const good = `${count(receipts, 'receipt')} in ${count(streams, 'stream')}`;
  const anchor = fingerprint === null ? '' : `, trust anchor ${fingerprint} (${pinned ? 'pinned' : 'not pinned'})`;
  if (report.verdict === 'valid') return `valid: ${good}${segmentsOf(report)}${anchor}`;
  const open = unverifiable === 0 ? '' : `, ${count(unverifiable, 'receipt')} cannot be judged`;
  const word = report.verdict === 'invalid' ? 'INVALID' : 'INCOMPLETE';
  const ofSegments = report.segments?.faultCount ?? 0;
  const faults =
    ofSegments === 0
      ? count(faultCount, 'fault')
      : `${count(ofSegments, 'fault')} of segments and ${faultCount === 0 ? 'none' : count(faultCount, 'fault')} of receipts`;
  return `${word}: ${faults}, ${count(receipts, 'receipt')} good${segmentsOf(report)}${open}${anchor}`;
};

const segmentsOf = ({ segments }: LedgerReport): string => {
  if (segments === undefined) return '';
  const { read, compared } = segments;
  return `, ${read.toLocaleString('en-US')} read from segments and ${compared.toLocaleString('en-US')} of these compared with their events`;
};
