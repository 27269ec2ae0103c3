import { describe, expect, it } from 'vitest';
import type { Measurement, Timing } from './measure-place.ts';
import { lowestCeiling, tableOf } from './table.ts';

const took = (seconds: number, peakBytes = 100 * 1024 * 1024): Timing => ({ seconds, peakBytes, allSeconds: [seconds] });
const measured = (receipts: number, more: Partial<Measurement> = {}): Measurement => ({
  ...{ store: 'file', receipts, bytes: receipts * 1_100 },
  ceilings: { read: 50_000, readSegments: 400_000, verify: 10_000, verifyDer: 12_500, copy: 40_000 },
  ...{
    verify: took(receipts / 8_500),
    verifySegments: null,
    rebuild: took(receipts / 6_000),
    rebuildSegments: null,
    bundle: null,
  },
  ...more,
});
const felt = (p95Ms: number) => ({ count: 100, p50Ms: 1, p95Ms, p99Ms: 2 * p95Ms });

describe('the table of verify and rebuild', () => {
  it('puts each rate beside its ceilings and its aim', () => {
    const table = tableOf({ measurements: [measured(10_000)], latencies: [] });
    expect(table).toContain(
      '| file, 10,000 | verify | 8,500 | 1.2 | 100 MB | 17 % | 85 % | 21 % | 85 % of raw verify (aim 85 %)',
    );
    expect(table).toContain(
      '| file, 10,000 | rebuild | 6,000 | 1.7 | 100 MB | 12 % | 60 % | 15 % | 60 % of the lowest ceiling (aim 60 %) |',
    );
  });

  it('leaves empty what a checkout cannot do', () => {
    const table = tableOf({ measurements: [measured(10_000, { rebuild: null })], latencies: [] });
    for (const name of ['rebuild', 'rebuild, with segments', 'verify, with segments', 'segments'])
      expect(table).toContain(`| file, 10,000 | ${name} | | | | | | | |`);
  });

  it('takes as the lowest ceiling what reading, checking or copying alone can do least of', () => {
    const slowReads = measured(10_000, { ceilings: { ...measured(1).ceilings, read: 400, readSegments: 90_000 } });
    expect(lowestCeiling(slowReads, false)).toBe(400);
    expect(lowestCeiling(slowReads, true)).toBe(10_000);
  });

  it('compares ten times as many receipts on the same store, segments with none, and busy commands with quiet ones', () => {
    const small = measured(10_000);
    const large = measured(100_000, { verify: took(13, 125 * 1024 * 1024) });
    const bucket = measured(10_000, { store: 's3', verify: took(20), verifySegments: took(1.6) });
    const pairs = [{ quiet: felt(10), busy: felt(18), ratio: 1.8 }];
    const latencies = [{ store: 'file', receipts: 100_000, pairs, ratio: 1.8 } as const];
    const table = tableOf({ measurements: [small, large, bucket], latencies });
    expect(table).toContain('| file, verify: 100,000 against 10,000 receipts, time | 11.05 × | ≤ 11 |');
    expect(table).toContain('| file, verify: 100,000 against 10,000 receipts, peak memory | 1.25 × | ≤ 1.3 |');
    expect(table).toContain('| s3, 10,000, verify: with segments against without, rate | 12.50 × | ≥ 10 |');
    expect(table).toContain('p95 of saves during a rebuild against without (10 → 18 ms) | 1.80 × | ≤ 2 |');
    expect(table).not.toContain('s3, verify: ');
  });
});
