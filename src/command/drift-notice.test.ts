import { describe, expect, it } from 'vitest';
import type { RunEnd } from '../port/runs.ts';
import { driftNotice } from './drift-notice.ts';

const end = (exitCode: number, report: RunEnd['report'], reason: RunEnd['reason'] = null): RunEnd => ({
  ...{ exitCode, reason, report },
  reportWhole: true,
});
const ledger = { verdict: 'valid', faults: [] };
const faulty = { verdict: 'invalid', faults: [{ stream: 'pixpax/codes/c', code: 'hash' }] };

describe('what operators hear of a drift run', () => {
  it.each<[string, RunEnd, object | null]>([
    ['no drift', end(0, { drifted: false, ledger }), null],
    ['a run that came to nothing', end(2, { error: {} }, 'not-done'), null],
    [
      'a head that differs',
      end(1, { drifted: true, ledger, heads: [{ stream: 'pixpax/accounts/a' }], rows: [] }),
      { code: 'projection-different', stream: 'pixpax/accounts/a' },
    ],
    [
      'a row that differs',
      end(1, { drifted: true, ledger, heads: [], rows: [{ stream: 'pixpax/accounts/b' }] }),
      { code: 'projection-different', stream: 'pixpax/accounts/b' },
    ],
    ['no projection', end(1, { drifted: true, ledger, heads: [], rows: [] }), { code: 'projection-different', stream: 'pixpax' }],
    ['a report that was too long', end(1, null), { code: 'projection-different', stream: 'pixpax' }],
    ['a ledger that is not valid', end(1, { error: {}, ledger: faulty }), { code: 'ledger-invalid', stream: 'pixpax/codes/c' }],
    ['one that is incomplete', end(3, { error: {}, ledger: faulty }), { code: 'ledger-invalid', stream: 'pixpax/codes/c' }],
  ])('of %s', (_, found, expected) => {
    const notice = driftNotice('drift', 'run_1', found);
    if (expected === null) expect(notice).toBeNull();
    else expect(notice).toMatchObject({ level: 'alarm', ...expected });
    expect(driftNotice('verify', 'run_1', found)).toBeNull();
  });
});
