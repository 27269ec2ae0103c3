import type { RecordReport } from '../record/verify-recorded.ts';
import { aligned, count } from './text.ts';

/** What was taken from the last record, what had changed since, and what became of the next. */
export const recordText = ({ from, signedBy, streams, signatures, datedBack, written }: RecordReport): string => {
  const since = streams.unchanged === 0 ? 'none unchanged' : `${count(streams.unchanged, 'stream')} unchanged`;
  const rest = `${streams.grown} grown, ${streams.fresh} new, ${streams.again} looked at again`;
  return aligned([
    [
      'record',
      from === null
        ? 'none yet: everything was verified'
        : `${from.name}, as of ${from.startedAt}${reliance(from.relied, datedBack)}`,
    ],
    ['since', `${since}, ${rest}; ${count(signatures, 'signature')} checked`],
    ['signed by', signedBy],
    ['next', written ?? 'none: the ledger is not valid, and the record stays as it is'],
  ]);
};

const reliance = (relied: boolean, datedBack: boolean): string => {
  if (relied) return '';
  return datedBack
    ? '; receipts came since that are dated before it, so everything was verified'
    : '; by another version of the verifier, so everything was verified';
};
